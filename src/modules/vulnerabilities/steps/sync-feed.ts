import { stepHandler } from "../../../platform/workflow/index.ts";
import { publish } from "../publish-feed.ts";
import { stageEcosystem } from "../stage-ecosystem.ts";
import { syncOneFeed } from "../workflows/sync-feeds.ts";

export const syncFeedStep = stepHandler(syncOneFeed, {
  database: "system",
  prepare: (context, { ecosystem }) => stageEcosystem(context, ecosystem),
  async handle(context, _input, staged) {
    const { feed, changed, records } = await publish(context, staged);
    return { feed, changed, records };
  },
});

import { Type, type Static } from "typebox";
import { timestamp } from "../../platform/clock.ts";
import { Conflict, fail } from "../../platform/errors.ts";
import type { Context } from "../../platform/operation/index.ts";
import { FeedPublished } from "./events.ts";
import { makeCurrent } from "./feed-store.ts";
import { currentDigest } from "./feed-views.ts";
import type { StagedFeed } from "./import-feed.ts";

export const FeedName = Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,62}$", description: "Name of the feed; importing under the same name replaces it", examples: ["debian"] });

export const ImportedFeed = Type.Object({
  feed: FeedName,
  changed: Type.Boolean({ description: "False where the feed holds exactly what was current already" }),
  records: Type.Integer({ description: "Distinct records, withdrawn ones included" }),
  withdrawn: Type.Integer(),
  digest: Type.String({ description: "Digest of the records, whatever their order and packaging" }),
  newest: Type.Union([Type.String({ format: "date-time" }), Type.Null()], { description: "When the newest record was modified" }),
});

/** Makes a staged feed the current one, in the transaction that says so. */
export async function publish({ db, clock, events: log }: Pick<Context, "db" | "clock" | "events">, { feed, versionId, summary }: StagedFeed): Promise<Static<typeof ImportedFeed>> {
  const { records, withdrawn, digest, newest } = summary;
  if (versionId === undefined && (await currentDigest(db, feed)) !== digest) {
    fail(Conflict, `${feed} held the same records when the import began, and was changed meanwhile; import it again.`);
  }
  if (versionId !== undefined) {
    await makeCurrent(db, feed, versionId, timestamp(clock));
    await log.append({ type: FeedPublished, subject: `feed_${feed}`, data: { records, digest } });
  }
  return { feed, changed: versionId !== undefined, records, withdrawn, digest, newest };
}

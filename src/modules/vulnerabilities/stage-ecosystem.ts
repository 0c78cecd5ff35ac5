import type { PrepareContext } from "../../platform/operation/index.ts";
import { downloadEcosystem, feedOf } from "./download.ts";
import { stageFeed, type StagedFeed } from "./import-feed.ts";

/** Downloads an ecosystem of OSV and stages it. `publish` makes it current. */
export async function stageEcosystem(
  context: Pick<PrepareContext, "http" | "signal" | "progress" | "transaction" | "ids" | "clock" | "instance"> & { settings: { osvUrl: string } }, ecosystem: string,
): Promise<StagedFeed> {
  const download = await downloadEcosystem(context, ecosystem);
  try {
    return await stageFeed(context, feedOf(ecosystem), { path: download.path });
  } finally {
    await download.remove();
  }
}

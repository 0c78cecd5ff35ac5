import { timestamp } from "../../platform/clock.ts";
import { DeclaredError } from "../../platform/errors.ts";
import type { PrepareContext } from "../../platform/operation/index.ts";
import type { Advisory } from "./domain/advisory.ts";
import { FeedRefused } from "./errors.ts";
import { createStagingVersion, deleteVersion, finishStaging, stageAdvisories } from "./feed-store.ts";
import { currentDigest } from "./feed-views.ts";
import { FeedError } from "./feeds/feed-error.ts";
import type { FeedInput } from "./feeds/feed-files.ts";
import { readFeed } from "./feeds/read-feed.ts";
import type { FeedSummary } from "./feeds/feed-tally.ts";

export interface StagedFeed {
  feed: string;
  /** Absent where the feed holds exactly what is current already. */
  versionId?: string;
  summary: FeedSummary;
}

const batchSize = 500;

/**
 * Reads a feed into a new, invisible version, in short transactions. A feed that is bad anywhere, or a caller that goes
 * away, leaves nothing behind; what a crash leaves is swept at the next start.
 */
export async function stageFeed(context: Pick<PrepareContext, "transaction" | "ids" | "clock" | "signal" | "progress" | "instance">, feed: string, input: FeedInput): Promise<StagedFeed> {
  const { transaction, ids, clock, signal, progress, instance } = context;
  const versionId = ids.uuid();
  await transaction((db) => createStagingVersion(db, { id: versionId, feed, instance, now: timestamp(clock) }));
  try {
    const records = readFeed(input, { signal });
    let batch: Advisory[] = [];
    let done = 0;
    async function flush(): Promise<void> {
      const full = batch;
      batch = [];
      if (full.length === 0) return;
      await transaction((db) => stageAdvisories(db, versionId, full));
      done += full.length;
      progress({ step: "reading advisories", done });
    }
    let next = await records.next();
    while (next.done !== true) {
      batch.push(next.value);
      if (batch.length === batchSize) await flush();
      next = await records.next();
    }
    await flush();
    const summary = next.value;
    const unchanged = (await transaction((db) => currentDigest(db, feed))) === summary.digest;
    if (unchanged) {
      await deleteVersion(transaction, versionId);
      return { feed, summary };
    }
    await transaction((db) => finishStaging(db, versionId, summary, timestamp(clock)));
    return { feed, versionId, summary };
  } catch (error) {
    await deleteVersion(transaction, versionId);
    if (error instanceof FeedError) throw new DeclaredError(FeedRefused, `Nothing was imported into ${feed}. ${error.message}`, undefined, error);
    throw error;
  }
}

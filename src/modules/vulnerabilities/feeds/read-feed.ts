import type { Advisory } from "../domain/advisory.ts";
import { FeedError } from "./feed-error.ts";
import type { FeedInput } from "./feed-files.ts";
import { recordsOf } from "./feed-files.ts";
import type { FeedSummary } from "./feed-tally.ts";
import { feedTally } from "./feed-tally.ts";
import type { FeedLimits } from "./limits.ts";
import { defaultLimits } from "./limits.ts";
import { readOsvRecord } from "./osv-record.ts";

export interface ReadFeedOptions {
  limits?: Partial<FeedLimits>;
  /** Stops reading; the generator then throws the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Reads a feed of OSV records: JSON lines or JSON, plain or gzipped; a zip archive or a folder of JSON files. Gives
 * its advisories one at a time, without the withdrawn ones, and returns what the feed was.
 *
 * A feed is good or bad as a whole. FeedError, with file, line or zip entry, is thrown for a record that is malformed
 * or too large, an id that comes twice with different content (with the same content it counts once), damaged or
 * cut-off packing, and a feed without records. Advisories given before the error must then be thrown away.
 */
export async function* readFeed(
  input: FeedInput,
  { limits, signal }: ReadFeedOptions = {},
): AsyncGenerator<Advisory, FeedSummary, undefined> {
  const meter = { limits: { ...defaultLimits, ...limits }, bytes: 0, compressed: 0 };
  const tally = feedTally();
  for await (const { value, place } of recordsOf(input, meter)) {
    signal?.throwIfAborted();
    if (tally.seen() >= meter.limits.records) {
      throw new FeedError(place, `the feed holds more than ${meter.limits.records} records`);
    }
    const record = readOsvRecord(value);
    if ("reason" in record) throw new FeedError({ ...place, field: record.field }, record.reason);
    const { id, withdrawn, modified } = record;
    const added = tally.add(id, value, { withdrawn, ...(modified !== undefined && { modified }) });
    if (added === "conflict") {
      throw new FeedError({ ...place, field: "id" }, `"${id}" was in this feed before, with different content`);
    }
    if (added === "new" && !record.withdrawn) yield record.advisory;
  }
  const summary = tally.summary();
  if (summary.records === 0) {
    throw new FeedError({ file: "path" in input ? input.path : input.name }, "the feed is empty: it holds no OSV record");
  }
  return summary;
}

/** Reads a whole feed into memory. */
export async function loadFeed(
  input: FeedInput,
  options: ReadFeedOptions = {},
): Promise<{ advisories: Advisory[]; summary: FeedSummary }> {
  const advisories: Advisory[] = [];
  const summary = await eachAdvisory(input, (advisory) => void advisories.push(advisory), options);
  return { advisories, summary };
}

/** Reads a feed and waits for `take` after each advisory. */
export async function eachAdvisory(
  input: FeedInput,
  take: (advisory: Advisory) => void | Promise<void>,
  options: ReadFeedOptions = {},
): Promise<FeedSummary> {
  const feed = readFeed(input, options);
  try {
    while (true) {
      const next = await feed.next();
      if (next.done === true) return next.value;
      await take(next.value);
    }
  } finally {
    // Closes the file where `take` threw; after the end it does nothing.
    await feed.return(undefined as never);
  }
}

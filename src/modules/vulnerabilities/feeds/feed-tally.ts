import { createHash } from "node:crypto";
import { canonicalJson } from "../../../platform/operation/canonical.ts";

/** What a feed was, once all of it has been read. */
export interface FeedSummary {
  /**
   * `sha256:` and 64 hex digits, over the hashes of its distinct records, sorted: the same records give the same
   * digest in every order and packaging.
   */
  digest: string;
  /** The newest `modified` of a record (`published` where that is not stated), RFC 3339 UTC; null where none states any. */
  newest: string | null;
  /** Distinct records, the withdrawn ones included. */
  records: number;
  withdrawn: number;
  /** Records that were there again with the same content. */
  repeated: number;
}

/** Keeps count of the records of one feed. */
export interface FeedTally {
  /** `conflict` where the id was there before with other content. */
  add: (id: string, record: unknown, about: { modified?: string; withdrawn: boolean }) => "new" | "repeated" | "conflict";
  seen: () => number;
  summary: () => FeedSummary;
}

export function feedTally(): FeedTally {
  const hashes = new Map<string, string>();
  let newest: string | null = null;
  let withdrawn = 0;
  let repeated = 0;
  return {
    add: (id, record, about) => {
      const hash = createHash("sha256").update(canonicalJson(record)).digest("base64");
      const before = hashes.get(id);
      if (before !== undefined && before !== hash) return "conflict";
      if (before === hash) {
        repeated += 1;
        return "repeated";
      }
      hashes.set(id, hash);
      if (about.withdrawn) withdrawn += 1;
      if (about.modified !== undefined && (newest === null || about.modified > newest)) newest = about.modified;
      return "new";
    },
    seen: () => hashes.size + repeated,
    summary: () => ({ digest: digestOf(hashes.values()), newest, records: hashes.size, withdrawn, repeated }),
  };
}

/** One digest for several feeds, whatever their order; that of a single feed is its own, and null stands for none. */
export function combinedDigest(digests: readonly string[]): string | null {
  const distinct = [...new Set(digests)];
  if (distinct.length <= 1) return distinct[0] ?? null;
  return digestOf(distinct);
}

function digestOf(parts: Iterable<string>): string {
  const hash = createHash("sha256");
  for (const part of [...parts].sort()) hash.update(part).update("\n");
  return `sha256:${hash.digest("hex")}`;
}

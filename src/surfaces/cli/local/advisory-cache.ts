import { createWriteStream } from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { FeedSummary } from "../../../modules/vulnerabilities/feeds/feed-tally.ts";
import { advisoryFolder, codeOf, homeFolder, makePrivateFolder } from "../home.ts";
import type { CliIo } from "../io.ts";
import { checkFeed, feedLines } from "./feed-source.ts";

const suffix = ".osv.jsonl.gz";

/** What an import answers, here as by the server. */
export interface ImportedFeed {
  feed: string;
  changed: boolean;
  records: number;
  withdrawn: number;
  digest: string;
  newest: string | null;
}

/** Puts a feed into the cache, whole or not at all: it is checked first, and takes its name only when it is complete. */
export async function importIntoCache(io: CliIo, name: string, path: string): Promise<ImportedFeed> {
  const summary = await checkFeed(io, path);
  const folder = advisoryFolder(io.env);
  await makePrivateFolder(homeFolder(io.env));
  await makePrivateFolder(folder);
  const target = join(folder, `${name}${suffix}`);
  const changed = (await digestAt(io, target)) !== summary.digest;
  if (changed) await replace(io, target, path);
  return { feed: name, changed, records: summary.records, withdrawn: summary.withdrawn, digest: summary.digest, newest: summary.newest };
}

async function replace(io: CliIo, target: string, path: string): Promise<void> {
  const temporary = `${target}.${Buffer.from(io.random(6)).toString("hex")}.partial`;
  try {
    await pipeline(Readable.from(feedLines(path, io.signal)), createGzip({ level: 6 }), createWriteStream(temporary, { mode: 0o600 }), { signal: io.signal });
    const file = await open(temporary, "r+");
    await file.sync().finally(() => file.close());
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function digestAt(io: CliIo, target: string): Promise<FeedSummary["digest"] | undefined> {
  const names = await cachedFeeds(io);
  if (!names.some(({ path }) => path === target)) return undefined;
  // A damaged feed in the cache is replaced like one that is not there.
  return checkFeed(io, target).then((summary) => summary.digest, () => undefined);
}

/** The feeds in the cache, by name. */
export async function cachedFeeds(io: Pick<CliIo, "env">): Promise<{ name: string; path: string }[]> {
  const folder = advisoryFolder(io.env);
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
  return names.filter((name) => name.endsWith(suffix)).sort().map((name) => ({ name: name.slice(0, -suffix.length), path: join(folder, name) }));
}

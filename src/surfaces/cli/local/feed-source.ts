import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { FeedSummary } from "../../../modules/vulnerabilities/feeds/feed-tally.ts";
import { recordsOf } from "../../../modules/vulnerabilities/feeds/feed-files.ts";
import { defaultLimits } from "../../../modules/vulnerabilities/feeds/limits.ts";
import { eachAdvisory } from "../../../modules/vulnerabilities/feeds/read-feed.ts";
import { CliError } from "../errors.ts";
import type { CliIo } from "../io.ts";
import { createProgressLine } from "../progress.ts";

const mostSpooledBytes = 8 * 1024 ** 3;

/** Calls `use` with the path of a feed: the one that is given, or a temporary file with what standard input holds. */
export async function withFeedFile<T>(io: CliIo, path: string, use: (path: string) => Promise<T>): Promise<T> {
  if (path !== "-") return use(path);
  return withTemporaryFile("feed", async (file) => {
    await saveStream(io.stdin, file, io.signal);
    return use(file);
  });
}

export async function withTemporaryFile<T>(name: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "qinfra-"));
  try {
    return await use(join(folder, name));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes a stream to a file, up to 8 GiB. */
export async function saveStream(chunks: AsyncIterable<Uint8Array>, path: string, signal: AbortSignal, arrived?: (bytes: number) => void): Promise<void> {
  async function* counted(): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > mostSpooledBytes) throw new CliError(`The feed is larger than ${mostSpooledBytes / 1024 ** 3} GiB.`, { next: "import it in parts" });
      arrived?.(bytes);
      yield chunk;
    }
  }
  await pipeline(Readable.from(counted()), createWriteStream(path, { mode: 0o600 }), { signal });
}

/** Reads a whole feed and says what it is, or throws FeedError with the place. Nothing is done with a feed before that. */
export async function checkFeed(io: CliIo, path: string): Promise<FeedSummary> {
  const line = createProgressLine(io);
  let done = 0;
  try {
    return await eachAdvisory({ path }, () => line.show({ step: "checking advisories", done: ++done }), { signal: io.signal });
  } finally {
    line.end();
  }
}

/** The records of a feed that was checked, one JSON line each, in pieces of some 64 KiB. */
export async function* feedLines(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  let piece = "";
  for await (const { value } of recordsOf({ path }, { limits: defaultLimits, bytes: 0, compressed: 0 })) {
    signal.throwIfAborted();
    piece += `${JSON.stringify(value)}\n`;
    if (piece.length < 65_536) continue;
    yield Buffer.from(piece);
    piece = "";
  }
  if (piece !== "") yield Buffer.from(piece);
}

const namePattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** `debian.osv.jsonl.gz` is the feed `debian`. Throws CliError where no name is given and none can be derived. */
export function feedName(given: string | undefined, path: string): string {
  if (given !== undefined) {
    if (namePattern.test(given)) return given;
    throw new CliError(`"${given}" cannot be the name of a feed.`, { next: "use 1 to 63 small letters, digits, dots, hyphens and underscores, starting with a letter or digit" });
  }
  const name = basename(path).toLowerCase().replace(/(?:\.(?:gz|zip|jsonl|ndjson|json|osv))+$/, "").replaceAll(/[^a-z0-9._-]+/g, "-").replace(/^[^a-z0-9]+/, "");
  if (path !== "-" && namePattern.test(name)) return name;
  throw new CliError("What the feed is called cannot be told from its file.", { next: "give it a name with --name" });
}

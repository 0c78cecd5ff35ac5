import { createReadStream, createWriteStream } from "node:fs";
import { lstat, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InputError } from "../input-error.ts";
import { collected, limited } from "./decompress.ts";
import { inputName, openInput, readError, type ReadOptions } from "./read-input.ts";
import { tarEntries } from "./tar-entries.ts";

/** The files of an image archive by their names within it. */
export interface ImageArchive {
  has(name: string): Promise<boolean>;
  /** Throws InputError `not-found` where there is no such file. */
  read(name: string): AsyncIterable<Buffer>;
  /** Removes what was unpacked for reading. */
  close(): Promise<void>;
}

/** Bytes of a compressed archive, once unpacked into a temporary folder, and entries of any archive. */
export const archiveLimits = { bytes: 32 * 1024 ** 3, entries: 100_000 } as const;

/** A directory, a tar archive of it, or a compressed one; `-` is standard input. */
export async function openImageArchive(path: string, options: ReadOptions = {}): Promise<ImageArchive> {
  if (path === "-") return spooledArchive(path, options);
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) return directoryArchive(path);
    return stats.isFile() && (await isPlainTar(path)) ? await indexedArchive(path) : await spooledArchive(path, options);
  } catch (error) {
    throw readError(error, path);
  }
}

/** A document of the archive whole; undefined where there is none. */
export async function readSmall(archive: ImageArchive, name: string, limit: number): Promise<Buffer | undefined> {
  return (await archive.has(name)) ? collected(limited(archive.read(name), limit, name)) : undefined;
}

function directoryArchive(directory: string): ImageArchive {
  return {
    has: async (name) => {
      const stats = await lstat(join(directory, name)).catch(() => undefined);
      return stats?.isFile() ?? false;
    },
    async *read(name) {
      try {
        yield* createReadStream(join(directory, name)) as AsyncIterable<Buffer>;
      } catch (error) {
        throw readError(error, join(directory, name));
      }
    },
    close: async () => {},
  };
}

/** Compressed data has no index to read it by; a plain archive says where each file begins. */
async function isPlainTar(path: string): Promise<boolean> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(262), 0, 262, 0);
    return bytesRead === 262 && buffer.toString("latin1", 257, 262) === "ustar";
  } finally {
    await handle.close();
  }
}

interface Span {
  path: string;
  start: number;
  size: number;
}

async function indexedArchive(path: string): Promise<ImageArchive> {
  return archiveOver(
    await namesIn(openInput(path), async ({ offset, size }) => ({ path, start: offset, size })),
    async () => {},
  );
}

async function spooledArchive(path: string, options: ReadOptions): Promise<ImageArchive> {
  const folder = await mkdtemp(join(tmpdir(), "qinfra-image-"));
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    let number = 0;
    const input = limited(openInput(path, options), archiveLimits.bytes, "the archive");
    const names = await namesIn(input, async ({ chunks, size }) => {
      number += 1;
      const file = join(folder, String(number));
      await pipeline(Readable.from(chunks, { objectMode: false }), createWriteStream(file, { mode: 0o600 }));
      return { path: file, start: 0, size };
    });
    return archiveOver(names, close);
  } catch (error) {
    await close();
    throw readError(error, inputName(path));
  }
}

type Names = ReadonlyMap<string, Span | { link: string }>;

async function namesIn(
  input: AsyncIterable<Buffer>,
  place: (entry: { offset: number; size: number; chunks: AsyncIterable<Buffer> }) => Promise<Span>,
): Promise<Names> {
  const names = new Map<string, Span | { link: string }>();
  let count = 0;
  for await (const entry of tarEntries(input)) {
    count += 1;
    if (count > archiveLimits.entries) {
      throw new InputError("too-large", `the archive has more than ${archiveLimits.entries} files, so it is no image archive`);
    }
    const name = posix.normalize(entry.name).replace(/^\/+/, "");
    if (entry.type === "file") names.set(name, await place(entry));
    // Older versions of docker save write a layer that is there twice as a link to the first.
    if (entry.type === "symlink") names.set(name, { link: posix.join(posix.dirname(name), entry.linkName) });
    if (entry.type === "link") names.set(name, { link: posix.normalize(entry.linkName) });
  }
  return names;
}

function archiveOver(names: Names, close: () => Promise<void>): ImageArchive {
  const spanOf = (name: string): Span | undefined => {
    const found = names.get(name);
    const target = found && "link" in found ? names.get(found.link) : found;
    return target && "path" in target ? target : undefined;
  };
  return {
    has: async (name) => spanOf(name) !== undefined,
    async *read(name) {
      const span = spanOf(name);
      if (!span) throw new InputError("not-found", "the image archive has no such file", { path: name });
      if (span.size === 0) return;
      yield* createReadStream(span.path, { start: span.start, end: span.start + span.size - 1 }) as AsyncIterable<Buffer>;
    },
    close,
  };
}

import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { crc32, createGunzip } from "node:zlib";
import { openPromise } from "yauzl";
import type { Entry, ZipFile } from "yauzl";
import type { FeedPlace } from "./feed-error.ts";
import { FeedError } from "./feed-error.ts";
import type { JsonRecord } from "./json-lines.ts";
import { jsonRecords } from "./json-lines.ts";
import type { Meter } from "./limits.ts";
import { metered } from "./limits.ts";

/** A feed to read: a file or a folder, or bytes that come from elsewhere under a name for errors. */
export type FeedInput = { path: string } | { name: string; chunks: AsyncIterable<Uint8Array> };

/**
 * Gives every JSON record of a feed, whatever it is packed in; its form is told by its first bytes, not by its name.
 * Records come one at a time, so memory is bounded by one record.
 */
export async function* recordsOf(input: FeedInput, meter: Meter): AsyncGenerator<JsonRecord> {
  if ("chunks" in input) {
    yield* recordsOfStream(input.chunks, { file: input.name }, meter);
    return;
  }
  const { path } = input;
  const about = await readable(path, () => stat(path));
  if (about.isDirectory()) yield* recordsOfFolder(path, path, meter, 0);
  else if (about.isFile() && (await startsAs(path)) === "zip") yield* recordsOfZip(path, about.size, meter);
  else yield* recordsOfStream(createReadStream(path), { file: path }, meter);
}

const maxFolderDepth = 32;

async function* recordsOfFolder(root: string, folder: string, meter: Meter, depth: number): AsyncGenerator<JsonRecord> {
  if (depth > maxFolderDepth) throw new FeedError({ file: folder }, `folders are nested more than ${maxFolderDepth} deep`);
  const entries = await readable(folder, () => readdir(folder, { withFileTypes: true }));
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  let found = false;
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* recordsOfFolder(root, path, meter, depth + 1);
    if (!entry.isFile() || !entry.name.endsWith(".json")) continue;
    found = true;
    yield* nonEmpty(jsonRecords(metered(readChunks(path), meter, path), { file: path }, meter.limits.recordBytes), { file: path });
  }
  if (!found && folder === root && meter.bytes === 0) {
    throw new FeedError({ file: root }, "holds no .json file");
  }
}

/** A file of a folder or an archive that holds no record was probably cut off. */
async function* nonEmpty(records: AsyncIterable<JsonRecord>, place: FeedPlace): AsyncGenerator<JsonRecord> {
  let empty = true;
  for await (const record of records) {
    empty = false;
    yield record;
  }
  if (empty) throw new FeedError(place, "holds no OSV record");
}

async function* recordsOfStream(chunks: AsyncIterable<Uint8Array>, place: FeedPlace, meter: Meter): AsyncGenerator<JsonRecord> {
  const [form, all] = await peek(guarded(chunks, place));
  if (form === "zip") {
    await all.next();
    await all.return(undefined); // closes the input
    throw new FeedError(place, "is a zip archive, which cannot be read from a stream; save it and give the file");
  }
  const plain = form === "gzip" ? unpacked(all, place, meter) : all;
  yield* jsonRecords(metered(plain, meter, place.file), place, meter.limits.recordBytes);
}

async function* unpacked(chunks: AsyncIterable<Uint8Array>, place: FeedPlace, meter: Meter): AsyncGenerator<Uint8Array> {
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      meter.compressed += chunk.byteLength;
      yield chunk;
    }
  };
  const source = Readable.from(counted(), { objectMode: false });
  const gunzip = createGunzip();
  pipeline(source, gunzip, () => undefined); // an error arrives where the output is read
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (error instanceof FeedError) throw error;
    const cutOff = (error as NodeJS.ErrnoException).code === "Z_BUF_ERROR";
    const reason = cutOff ? "the gzip file is cut off" : `the gzip file is damaged (${message(error)})`;
    throw new FeedError(place, `${reason}, after ${meter.bytes} bytes of content`, { cause: error });
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

async function* recordsOfZip(path: string, size: number, meter: Meter): AsyncGenerator<JsonRecord> {
  const zip = await zipStep({ file: path }, () => openPromise(path, { autoClose: false, lazyEntries: true }));
  meter.compressed = size;
  try {
    let found = false;
    const entries = zip.eachEntry()[Symbol.asyncIterator]();
    while (true) {
      const next = await zipStep({ file: path }, () => entries.next());
      if (next.done === true) break;
      const entry = next.value;
      if (!entry.fileName.endsWith(".json") || entry.fileName.startsWith("__MACOSX/")) continue;
      found = true;
      const place = { file: path, entry: entry.fileName };
      yield* nonEmpty(jsonRecords(metered(entryChunks(zip, entry, place), meter, path), place, meter.limits.recordBytes), place);
    }
    if (!found) throw new FeedError({ file: path }, "the zip archive holds no .json file");
  } finally {
    zip.close();
  }
}

async function* entryChunks(zip: ZipFile, entry: Entry, place: FeedPlace): AsyncGenerator<Uint8Array> {
  if (entry.isEncrypted()) throw new FeedError(place, "is encrypted");
  const stream = await zipStep(place, () => zip.openReadStreamPromise(entry));
  let checksum = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof FeedError ? error : new FeedError(place, `the zip archive is damaged (${message(error)})`, { cause: error });
  } finally {
    stream.destroy();
  }
  if (checksum !== entry.crc32) throw new FeedError(place, "the zip archive is damaged (its checksum is wrong)");
}

async function zipStep<T>(place: FeedPlace, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw new FeedError(place, `the zip archive is cut off or damaged (${message(error)})`, { cause: error });
  }
}

type Form = "gzip" | "zip" | "text";

function formOf(start: Uint8Array): Form {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  const signature = start[0] === 0x50 && start[1] === 0x4b;
  return signature && (start[2] === 3 || start[2] === 5) ? "zip" : "text";
}

async function startsAs(path: string): Promise<Form> {
  const file = await readable(path, () => open(path));
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return formOf(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

async function peek(chunks: AsyncIterable<Uint8Array>): Promise<[Form, AsyncGenerator<Uint8Array>]> {
  const iterator = chunks[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  let done = false;
  while (start.byteLength < 4 && !done) {
    const next = await iterator.next();
    if (next.done === true) done = true;
    else start = Buffer.concat([start, next.value]);
  }
  const all = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield start;
      while (!done) {
        const next = await iterator.next();
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.(undefined);
    }
  };
  return [formOf(start), all()];
}

function readChunks(path: string): AsyncIterable<Uint8Array> {
  return guarded(createReadStream(path), { file: path });
}

/** An error of the input itself names the file. */
async function* guarded(chunks: AsyncIterable<Uint8Array>, place: FeedPlace): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw error instanceof FeedError ? error : new FeedError(place, `cannot be read (${message(error)})`, { cause: error });
  }
}

async function readable<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new FeedError({ file: path }, missing ? "there is no such file or folder" : `cannot be read (${message(error)})`, { cause: error });
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

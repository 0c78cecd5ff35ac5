import { open } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { InputError } from "../input-error.ts";

const megabyte = 1024 * 1024;

export interface ReadOptions {
  /** Bytes after decompression; 512 MiB unless given. */
  limit?: number;
  /** What `-` reads. */
  stdin?: Readable;
}

/** What an input is called in messages. */
export function inputName(path: string): string {
  return path === "-" ? "standard input" : path;
}

/**
 * Reads a file, or standard input for `-`, whole; gzip is undone (known by its first two bytes, not by a name).
 * Throws InputError naming the path.
 */
export async function readInput(path: string, options: ReadOptions = {}): Promise<Buffer> {
  const limit = options.limit ?? 512 * megabyte;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of openInput(path, options)) {
    size += chunk.length;
    if (size > limit) {
      throw new InputError("too-large", `the input is larger than the limit of ${sizeText(limit)}`, { path: inputName(path) });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** The same as a stream, without a limit. */
export async function* openInput(path: string, options: ReadOptions = {}): AsyncGenerator<Buffer> {
  try {
    const source = path === "-" ? (options.stdin ?? process.stdin) : await openFile(path);
    yield* gunzipped(source);
  } catch (error) {
    throw readError(error, inputName(path));
  }
}

async function openFile(path: string): Promise<Readable> {
  const handle = await open(path, "r");
  const stats = await handle.stat();
  if (!stats.isDirectory()) return handle.createReadStream();
  await handle.close();
  throw new InputError("is-a-directory", "this is a directory; a file is needed", { path });
}

async function* gunzipped(source: Readable): AsyncGenerator<Buffer> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const all = Readable.from(prepended(head, chunks, source), { objectMode: false });
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* all as AsyncIterable<Buffer>;
    return;
  }
  // The loop sees an error of either stream through gunzip, so the callback has nothing left to do.
  yield* pipeline(all, createGunzip(), () => {}) as AsyncIterable<Buffer>;
}

async function* prepended(head: Buffer, rest: AsyncIterator<Buffer>, source: Readable): AsyncGenerator<Buffer> {
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    source.destroy();
  }
}

const systemErrors: Record<string, [InputError["code"], string]> = {
  ENOENT: ["not-found", "there is no such file"],
  ENOTDIR: ["not-found", "there is no such file: a part of the path is not a directory"],
  EISDIR: ["is-a-directory", "this is a directory; a file is needed"],
  EACCES: ["no-permission", "you may not read this file; run as a user who may, or copy it"],
  EPERM: ["no-permission", "you may not read this file; run as a user who may, or copy it"],
  Z_BUF_ERROR: ["truncated", "the gzip file ends too early; copy or download it again"],
  Z_DATA_ERROR: ["malformed", "the gzip data is damaged; copy or download it again"],
};

/** An error of the file system or of zlib as an InputError that names the file. */
export function readError(error: unknown, path: string): InputError {
  if (error instanceof InputError) return error.in(path);
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  const [kind, reason] = systemErrors[code ?? ""] ?? ["cannot-read", `the file cannot be read (${code ?? String(error)})`];
  return new InputError(kind, reason, { path }, { cause: error });
}

export function sizeText(bytes: number): string {
  return bytes >= megabyte ? `${Math.round(bytes / megabyte)} MiB` : `${bytes} bytes`;
}

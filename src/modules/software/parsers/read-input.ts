import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { InputError } from "../input-error.ts";
import { collected, decompressed, limited } from "./decompress.ts";

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
 * Reads a file, or standard input for `-`, whole; gzip and zstd are undone (known by the first bytes, not by a name).
 * Throws InputError naming the path.
 */
export async function readInput(path: string, options: ReadOptions = {}): Promise<Buffer> {
  try {
    return await collected(limited(openInput(path, options), options.limit ?? 512 * 1024 * 1024, "the input"));
  } catch (error) {
    throw readError(error, inputName(path));
  }
}

/** The same as a stream, without a limit. */
export async function* openInput(path: string, options: ReadOptions = {}): AsyncGenerator<Buffer> {
  try {
    const source = path === "-" ? (options.stdin ?? process.stdin) : await openFile(path);
    yield* decompressed(source);
  } catch (error) {
    throw readError(error, inputName(path));
  }
}

/** A file as it is. Throws InputError for a directory, or the system's error. */
export async function openFile(path: string): Promise<Readable> {
  const handle = await open(path, "r");
  const stats = await handle.stat();
  if (!stats.isDirectory()) return handle.createReadStream();
  await handle.close();
  throw new InputError("is-a-directory", "this is a directory; a file is needed", { path });
}

const systemErrors: Record<string, [InputError["code"], string]> = {
  ENOENT: ["not-found", "there is no such file"],
  ENOTDIR: ["not-found", "there is no such file: a part of the path is not a directory"],
  ELOOP: ["cannot-read", "the path goes through too many links"],
  EISDIR: ["is-a-directory", "this is a directory; a file is needed"],
  EACCES: ["no-permission", "you may not read this; run as a user who may, or copy it"],
  EPERM: ["no-permission", "you may not read this; run as a user who may, or copy it"],
  ENOSPC: ["cannot-read", "there is no space left in the folder for temporary files (TMPDIR)"],
  Z_BUF_ERROR: ["truncated", "the compressed data ends too early; copy or download it again"],
  Z_DATA_ERROR: ["malformed", "the compressed data is damaged; copy or download it again"],
};

/** An error of the file system or of zlib as an InputError that names the file. */
export function readError(error: unknown, path: string): InputError {
  if (error instanceof InputError) return error.in(path);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const fallback: [InputError["code"], string] = code.startsWith("ZSTD_")
    ? ["malformed", "the compressed data is damaged; copy or download it again"]
    : ["cannot-read", `the file cannot be read (${code || String(error)})`];
  const [kind, reason] = systemErrors[code] ?? fallback;
  return new InputError(kind, reason, { path }, { cause: error });
}

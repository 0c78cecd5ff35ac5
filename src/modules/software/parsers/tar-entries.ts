import type { Readable as ReadableType } from "node:stream";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type Header } from "tar-stream";
import { InputError } from "../input-error.ts";

export interface TarEntry {
  /** As written in the archive. */
  name: string;
  type: Header["type"];
  size: number;
  /** Where its bytes begin in the uncompressed archive. */
  offset: number;
  linkName: string;
  chunks: AsyncIterable<Buffer>;
}

/**
 * The entries of a tar archive in their order; the chunks of one must be read, if at all, before the next is asked for.
 * Throws InputError for what is no tar archive or ends too early.
 */
export async function* tarEntries(archive: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const entries = extract();
  const copied = pipeline(Readable.from(archive, { objectMode: false }), entries).then(
    () => undefined,
    (error: unknown) => error ?? new Error("the archive cannot be read"),
  );
  try {
    for await (const entry of entries) {
      const header = entry.header as Header & { byteOffset?: number };
      yield {
        name: header.name,
        type: header.type,
        size: header.size ?? 0,
        offset: header.byteOffset ?? 0,
        linkName: header.linkname ?? "",
        chunks: entry as unknown as ReadableType,
      };
      entry.resume();
    }
  } catch (error) {
    throw tarError((await copied) ?? error);
  }
  const failure = await copied;
  if (failure !== undefined) throw tarError(failure);
}

/** Errors of what feeds the archive (files, decompression) pass as they are. */
function tarError(error: unknown): unknown {
  if (error instanceof InputError || !(error instanceof Error) || "syscall" in error) return error;
  const code = "code" in error ? String(error.code) : "";
  if (code === "Z_BUF_ERROR" || error.message === "Unexpected end of data") {
    return new InputError("truncated", "the archive ends too early; copy or download it again", {}, { cause: error });
  }
  if (code.startsWith("Z_") || code.startsWith("ZSTD_")) {
    return new InputError("malformed", "the compressed data of the archive is damaged", {}, { cause: error });
  }
  return new InputError("malformed", "this is no tar archive, or it is damaged", {}, { cause: error });
}

/** All bytes of one entry, up to a limit. */
export async function entryContent(entry: TarEntry, limit: number): Promise<Buffer> {
  if (entry.size > limit) {
    throw new InputError("too-large", `the file is larger than the limit of ${limit} bytes`, { path: entry.name });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of entry.chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}

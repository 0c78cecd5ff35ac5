import { pipeline, type Readable } from "node:stream";
import { createBrotliDecompress, createGunzip } from "node:zlib";
import { DeclaredError, fail } from "../errors.ts";
import { AnswerInvalid, AnswerTooLarge, Unreachable } from "./errors.ts";

export interface AnswerHead {
  /** Host and port, for messages. */
  host: string;
  method: string;
  status: number;
  headers: Record<string, string>;
}

/** What this client asks for and can decode. */
export const acceptedEncodings = "gzip, br";

/**
 * The body, decoded, at most `maxBytes` of it counted both before and after decoding, so that neither a compressed
 * bomb nor endless padding gets through. Errors: AnswerTooLarge, AnswerInvalid, Unreachable, the reason of the signal.
 */
export async function* readBody(head: AnswerHead, source: Readable, maxBytes: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (head.method !== "HEAD") checkLength(head, maxBytes);
    for await (const chunk of limited(decoded(head, source, maxBytes), head.host, maxBytes)) yield chunk;
  } catch (error) {
    throw signal.aborted ? signal.reason : bodyError(head.host, error);
  } finally {
    source.destroy();
  }
}

/** The headers as they are true of the decoded body. */
export function decodedHeaders(headers: Record<string, string>): Record<string, string> {
  if (headers["content-encoding"] === undefined) return headers;
  const { "content-encoding": _encoding, "content-length": _length, ...rest } = headers;
  return rest;
}

function decoded(head: AnswerHead, source: Readable, maxBytes: number): AsyncIterable<Uint8Array> {
  const encoding = (head.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding === "identity" || head.method === "HEAD" || head.status === 204 || head.status === 304) return source;
  if (encoding !== "gzip" && encoding !== "x-gzip" && encoding !== "br") {
    fail(AnswerInvalid, `${head.host} sent its answer in the encoding ${JSON.stringify(encoding.slice(0, 40))}, which was not asked for. Tell whoever runs it.`);
  }
  const decoder = encoding === "br" ? createBrotliDecompress() : createGunzip();
  // The callback is there for pipeline alone: whoever iterates the decoder sees the error.
  return pipeline(source, (chunks: AsyncIterable<Uint8Array>) => limited(chunks, head.host, maxBytes), decoder, () => undefined);
}

async function* limited(chunks: AsyncIterable<Uint8Array>, host: string, maxBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(host, maxBytes);
    yield chunk;
  }
}

function checkLength(head: AnswerHead, maxBytes: number): void {
  if (Number(head.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(head.host, maxBytes);
}

function tooLarge(host: string, maxBytes: number): DeclaredError {
  return new DeclaredError(AnswerTooLarge, `The answer of ${host} is larger than ${maxBytes} bytes and was not read to its end. Check that the URL is the right one.`, { host, maxBytes });
}

function bodyError(host: string, error: unknown): unknown {
  if (error instanceof DeclaredError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (/^(Z_|ERR_|ERR__ERROR)/.test(code) && !code.startsWith("ERR_STREAM") && !code.startsWith("ERR_SSL")) {
    return new DeclaredError(AnswerInvalid, `The compressed answer of ${host} is damaged or cut short (${code}). Try again; if it stays, tell whoever runs it.`, { host, reason: code });
  }
  return new DeclaredError(Unreachable, `The connection to ${host} broke off before its answer was complete (${code || "unknown reason"}). Try again.`, { host, reason: code, transient: true });
}

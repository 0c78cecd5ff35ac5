import type { FeedPlace } from "./feed-error.ts";
import { FeedError } from "./feed-error.ts";

export interface JsonRecord {
  value: unknown;
  place: FeedPlace;
}

const newline = 0x0a;
const openBrace = 0x7b;
const openBracket = 0x5b;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads JSON records from bytes, one at a time: JSON lines; or a file that is one record written over several lines,
 * which begins with a line `{`; or a list of records, which begins with `[`.
 * Throws FeedError with the line for what is none of these, is cut off, or is longer than `recordBytes`.
 */
export async function* jsonRecords(
  chunks: AsyncIterable<Uint8Array>,
  place: FeedPlace,
  recordBytes: number,
): AsyncGenerator<JsonRecord> {
  const form: { is?: "lines" | "record" | "list" } = {};
  const whole: Uint8Array[] = [];
  let wholeBytes = 0;
  const list = listReader(place, recordBytes);
  for await (const line of linesOf(chunks, place, recordBytes, () => form.is === "list")) {
    const start = firstByte(line.bytes);
    if (form.is === undefined) {
      if (start === undefined) continue;
      if (start !== openBrace && start !== openBracket) throw new FeedError({ ...place, line: line.number }, notJson(start));
      form.is = start === openBracket ? "list" : isLone(line.bytes) ? "record" : "lines";
    }
    if (form.is === "list") yield* list.read(line.bytes);
    else if (form.is === "lines" && start !== undefined) yield parsed(line.bytes, { ...place, line: line.number }, line.last);
    else if (form.is === "record") {
      whole.push(line.bytes, lineBreak);
      wholeBytes += line.bytes.byteLength + 1;
      if (wholeBytes > recordBytes) throw tooLong({ ...place, line: 1 }, recordBytes);
    }
  }
  if (form.is === "list") list.end();
  if (form.is === "record") yield parsed(Buffer.concat(whole), { ...place, line: 1 }, true);
}

const lineBreak = new Uint8Array([newline]);

interface Line {
  bytes: Uint8Array;
  number: number;
  /** Whether the input ended before a line break. */
  last: boolean;
}

/** `inPieces` says whether long lines may be given in pieces: a list of records is often a single line. */
async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  place: FeedPlace,
  recordBytes: number,
  inPieces: () => boolean,
): AsyncGenerator<Line> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let number = 1;
  let first = true;
  for await (const chunk of withoutByteOrderMark(chunks)) {
    let start = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, start)) {
      pending.push(chunk.subarray(start, at + 1));
      yield { bytes: Buffer.concat(pending), number, last: false };
      pending = [];
      pendingBytes = 0;
      number += 1;
      start = at + 1;
    }
    const rest = chunk.subarray(start);
    pending.push(rest);
    pendingBytes += rest.byteLength;
    const piecewise: boolean = inPieces() || (first && firstByte(Buffer.concat(pending)) === openBracket);
    if (piecewise && pendingBytes > 0) {
      yield { bytes: Buffer.concat(pending), number, last: false };
      pending = [];
      pendingBytes = 0;
    }
    if (pendingBytes > recordBytes) throw tooLong({ ...place, line: number }, recordBytes);
    first = false;
  }
  if (pendingBytes > 0) yield { bytes: Buffer.concat(pending), number, last: true };
}

async function* withoutByteOrderMark(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let first = true;
  for await (const chunk of chunks) {
    if (chunk.byteLength === 0) continue;
    const marked = first && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf;
    first = false;
    yield marked ? chunk.subarray(3) : chunk;
  }
}

/** Cuts a list `[a, b, ...]`, which comes in any pieces, into its elements. */
function listReader(place: FeedPlace, recordBytes: number) {
  let depth = 0;
  let inString = false;
  let escaped = false;
  let closed = false;
  let needsComma = false;
  let afterComma = false;
  let line = 1;
  let startLine = 1;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;

  function* read(bytes: Uint8Array): Generator<JsonRecord> {
    let start = depth > 1 ? 0 : -1;
    for (let at = 0; at < bytes.byteLength; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === newline) line += 1;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === 0x5c) escaped = true;
        else if (byte === 0x22) inString = false;
        continue;
      }
      if (depth <= 1) {
        if (isSpace(byte)) continue;
        if (closed) throw new FeedError({ ...place, line }, "goes on after the end of the list of records");
        if (depth === 0) {
          depth = 1; // the opening bracket, which the caller saw
          continue;
        }
        if (byte === 0x5d && !afterComma) {
          closed = true;
          continue;
        }
        if (needsComma !== (byte === 0x2c)) throw new FeedError({ ...place, line }, "is not a list of records separated by commas");
        afterComma = byte === 0x2c;
        if (afterComma) {
          needsComma = false;
          continue;
        }
        if (byte !== openBrace) throw new FeedError({ ...place, line }, "the list holds something that is not an object");
        start = at;
        startLine = line;
        depth = 2;
        continue;
      }
      if (byte === 0x22) inString = true;
      else if (byte === openBrace || byte === openBracket) depth += 1;
      else if (byte === 0x7d || byte === 0x5d) {
        depth -= 1;
        if (depth > 1) continue;
        pending.push(bytes.subarray(start, at + 1));
        const whole = Buffer.concat(pending);
        if (whole.byteLength > recordBytes) throw tooLong({ ...place, line: startLine }, recordBytes);
        pending = [];
        pendingBytes = 0;
        start = -1;
        needsComma = true;
        yield parsed(whole, { ...place, line: startLine }, false);
      }
    }
    if (start < 0) return;
    const rest = bytes.slice(start);
    pending.push(rest);
    pendingBytes += rest.byteLength;
    if (pendingBytes > recordBytes) throw tooLong({ ...place, line: startLine }, recordBytes);
  }

  function end(): void {
    if (!closed) throw new FeedError({ ...place, line }, "is cut off: the list of records does not end");
  }

  return { read, end };
}

const deepest = 64;

function parsed(bytes: Uint8Array, place: FeedPlace, atEnd: boolean): JsonRecord {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new FeedError(place, "is not valid UTF-8");
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isDeeper(value, deepest)) throw new FeedError(place, `is nested more than ${deepest} deep`);
    return { value, place };
  } catch (error) {
    if (error instanceof FeedError) throw error;
    const why = error instanceof Error ? error.message.replace(/[^\x20-\x7e]+/g, " ").slice(0, 120) : "";
    throw new FeedError(place, `${atEnd ? "is cut off or is not valid JSON" : "is not valid JSON"} (${why})`);
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const item of Object.values(value)) if (isDeeper(item, levels - 1)) return true;
  return false;
}

function tooLong(place: FeedPlace, recordBytes: number): FeedError {
  return new FeedError(place, `a record is longer than ${recordBytes} bytes`);
}

function notJson(byte: number): string {
  const shown = byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `byte 0x${byte.toString(16).padStart(2, "0")}`;
  return `is not a feed: it starts with ${shown}; OSV records as JSON lines, JSON files, gzip, zip or a folder are read`;
}

function firstByte(bytes: Uint8Array): number | undefined {
  return bytes.find((byte) => !isSpace(byte));
}

function isLone(bytes: Uint8Array): boolean {
  return bytes.filter((byte) => !isSpace(byte)).byteLength === 1;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === newline || byte === 0x0d || byte === 0x09;
}

import { excerpt, InputError } from "../input-error.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Limits that hold before anything is built from the text, so that a small file cannot fill the memory. */
export interface JsonLimits {
  /** Nesting of objects and arrays. */
  depth: number;
  /** Commas and opening brackets together: about the number of values. */
  values: number;
}

/** Parses JSON; throws InputError with line and column for text that is none, ends too early or passes a limit. */
export function parseJson(text: string, limits: JsonLimits): unknown {
  checkLimits(text, limits);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { offset, reason, code } = firstError(text);
    throw new InputError(code, reason, positionOf(text, offset), { cause });
  }
}

/** Line and column, both from 1. */
export function positionOf(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) {
    line += 1;
    start = at + 1;
  }
  return { line, column: offset - start + 1 };
}

const quote = 0x22;
const backslash = 0x5c;

function checkLimits(text: string, limits: JsonLimits): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === quote) {
      at = endOfString(text, at);
    } else if (char === 0x7b || char === 0x5b) {
      depth += 1;
      values += 1;
      if (depth > limits.depth) {
        throw new InputError("too-large", `objects and arrays are nested deeper than ${limits.depth}`, positionOf(text, at));
      }
    } else if (char === 0x7d || char === 0x5d) {
      depth -= 1;
    } else if (char === 0x2c) {
      values += 1;
    }
    if (values > limits.values) {
      throw new InputError("too-large", `there are more than ${limits.values} values`, positionOf(text, at));
    }
  }
}

/** The offset of the closing quote, or the text's length. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at;
}

interface JsonFault {
  offset: number;
  reason: string;
  code: "malformed" | "truncated";
}

const space = /[ \t\n\r]*/y;
const token = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)(?![\w.+-])|[[\]{},:]/y;
const escaped = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y;

/** The token that starts at `offset`; undefined where there is none. Strings by hand: they may be megabytes long. */
function tokenAt(text: string, offset: number): string | undefined {
  if (text.charCodeAt(offset) !== quote) {
    token.lastIndex = offset;
    return token.exec(text)?.[0];
  }
  for (let at = offset + 1; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === quote) return text.slice(offset, at + 1);
    if (char < 0x20) return undefined;
    if (char !== backslash) continue;
    escaped.lastIndex = at + 1;
    if (!escaped.test(text)) return undefined;
    at = escaped.lastIndex - 1;
  }
  return undefined;
}

/**
 * Where text breaks the grammar of RFC 8259. The runtime's own error names a position only sometimes, so the place
 * is found here, once it is known that there is one.
 */
function firstError(text: string): JsonFault {
  const open: ("}" | "]")[] = [];
  let expect: Expectation = "value";
  let offset = 0;
  for (;;) {
    space.lastIndex = offset;
    space.exec(text);
    offset = space.lastIndex;
    if (offset >= text.length) return { offset, code: "truncated", reason: "the JSON text ends too early; copy or download it again" };
    const found = tokenAt(text, offset);
    if (found === undefined) return unreadable(text, offset);
    const next = step(found, expect, open);
    if (next === undefined) {
      return { offset, code: "malformed", reason: `found ${excerpt(found)} where ${wanted(expect, open.at(-1))} must stand` };
    }
    expect = next;
    offset += found.length;
  }
}

type Expectation = "value" | "first value" | "key" | "first key" | "colon" | "comma" | "end";

function step(found: string, expect: Expectation, open: ("}" | "]")[]): Expectation | undefined {
  const after = (): Expectation => (open.length > 0 ? "comma" : "end");
  if (found === open.at(-1) && (expect === "comma" || expect === "first key" || expect === "first value")) {
    open.pop();
    return after();
  }
  if (expect === "comma") return found !== "," ? undefined : open.at(-1) === "}" ? "key" : "value";
  if (expect === "colon") return found === ":" ? "value" : undefined;
  if (expect === "key" || expect === "first key") return found.startsWith('"') ? "colon" : undefined;
  if (expect === "end" || "]},:".includes(found)) return undefined;
  if (found === "{" || found === "[") {
    open.push(found === "{" ? "}" : "]");
    return found === "{" ? "first key" : "first value";
  }
  return after();
}

function wanted(expect: Expectation, closing: string | undefined): string {
  if (expect === "comma") return `"," or "${closing}"`;
  if (expect === "colon") return '":"';
  if (expect === "end") return "the end of the text";
  if (expect === "first key") return 'a name in quotes or "}"';
  if (expect === "key") return "a name in quotes";
  return expect === "first value" ? 'a value or "]"' : "a value";
}

function unreadable(text: string, offset: number): JsonFault {
  const isString = text.charCodeAt(offset) === quote;
  if (isString && endOfString(text, offset) >= text.length) {
    return { offset, code: "truncated", reason: "the JSON text ends inside a string; copy or download it again" };
  }
  if (/^(?:t|tr|tru|f|fa|fal|fals|n|nu|nul|-|-?\d+(?:\.\d+)?(?:\.|[eE][+-]?))$/.test(text.slice(offset, offset + 400))) {
    return { offset, code: "truncated", reason: "the JSON text ends inside a value; copy or download it again" };
  }
  const what = `"${excerpt(text.slice(offset, offset + 80), 20)}"`;
  return { offset, code: "malformed", reason: isString ? `${what} is not a valid JSON string` : `${what} is not JSON` };
}

import { CollectError } from "./collect-error.ts";
import { type RawFactName, rawFactNames } from "./facts.ts";

/** One file or directory of the host, by its path without a leading slash. */
export type AnswerEntry =
  | { kind: "file"; content: Buffer }
  /** There, but not read: only its presence was asked for, or it may not be read. */
  | { kind: "present" }
  | { kind: "unreadable" }
  /** A directory that may not be searched or listed. */
  | { kind: "closed" }
  | { kind: "symlink"; target: string };

export interface Answer {
  entries: Map<string, AnswerEntry>;
  facts: Map<RawFactName, string>;
  /** Tools that the script needs and the host has not. */
  missing: string[];
  /** Where the search for language packages stopped, in entries. */
  stoppedAfter?: number;
  /** Lines of names with line breaks, which are not searched. */
  brokenNames?: number;
}

export interface AnswerLimits {
  /** Frames, so files and values together. */
  frames: number;
  pathBytes: number;
  pathSegments: number;
}

export const answerLimits: AnswerLimits = { frames: 500_000, pathBytes: 4_096, pathSegments: 128 };

const newline = 0x0a;
const dot = 0x2e;

/**
 * Reads the body of what `collectScript` writes. It is made of lines; the first character says what a line is:
 * `f PATH` a file, `.TEXT` one line of the content of the file or value before, `=` the file was read to its end or
 * limit, `v NAME` a value, `x PATH` a file that may not be read, `p PATH` a file that is there, `c PATH` a closed
 * directory, `l PATH<tab>TARGET` a link, `m NAME` a missing tool, `s N` the search stopped after N entries, `u N`
 * names with line breaks were left out, `e NONCE` the end. Content cannot be taken for a frame, because each of its lines begins with a dot.
 * The host is not trusted. Throws CollectError `truncated-answer` without the end, `malformed-answer` for anything else.
 */
export function parseAnswer(body: Buffer, nonce: string, limits: AnswerLimits = answerLimits): Answer {
  const answer: Answer = { entries: new Map(), facts: new Map(), missing: [] };
  // Contents, one after another; without the dots they are never longer than the body.
  const contents = Buffer.allocUnsafe(body.length);
  let used = 0;
  let block: { start: number; close(content: Buffer, whole: boolean): void } | undefined;
  let frames = 0;

  const endBlock = (whole: boolean): void => {
    block?.close(contents.subarray(block.start, used), whole);
    block = undefined;
  };

  for (let at = 0, row = 1; at < body.length; row += 1) {
    if (body[at] === dot) {
      if (!block) throw malformed(row, "content belongs to nothing");
      // Byte by byte: a host may send a hundred million lines, and two native calls for each took 20 s.
      for (let byte: number | undefined = dot; byte !== newline && byte !== undefined; ) {
        at += 1;
        byte = body[at];
        if (byte !== undefined) contents[used++] = byte;
      }
      at += 1;
      continue;
    }
    const end = body.indexOf(newline, at);
    if (end < 0) break;
    if (end - at > 2 * limits.pathBytes) throw malformed(row, "a line is too long");
    const text = body.toString("utf8", at, end);
    at = end + 1;
    if (text === "=") {
      if (!block) throw malformed(row, "an end belongs to nothing");
      endBlock(true);
      continue;
    }
    endBlock(false);
    frames += 1;
    if (frames > limits.frames) throw malformed(row, `there are more than ${limits.frames} frames`);
    const rest = text.slice(2);
    switch (text.slice(0, 2)) {
      case "f ": {
        const path = checkedPath(rest, row, limits);
        block = { start: used, close: (content, whole) => answer.entries.set(path, whole ? { kind: "file", content } : { kind: "unreadable" }) };
        break;
      }
      case "v ":
        block = { start: used, close: (content) => addFact(answer, rest, content) };
        break;
      case "x ":
        answer.entries.set(checkedPath(rest, row, limits), { kind: "unreadable" });
        break;
      case "p ":
        answer.entries.set(checkedPath(rest, row, limits), { kind: "present" });
        break;
      case "c ":
        answer.entries.set(checkedPath(rest, row, limits), { kind: "closed" });
        break;
      case "l ": {
        const [path = "", target = ""] = rest.split("\t", 2);
        answer.entries.set(checkedPath(path, row, limits), { kind: "symlink", target: `/${checkedPath(target.replace(/^\//, ""), row, limits)}` });
        break;
      }
      case "m ":
        if (!/^[a-z]{1,20}$/.test(rest)) throw malformed(row, "the name of a tool is none");
        answer.missing.push(rest);
        break;
      case "s ":
      case "u ":
        if (!/^\d{1,9}$/.test(rest)) throw malformed(row, "a count is no number");
        answer[text.startsWith("s") ? "stoppedAfter" : "brokenNames"] = Number(rest);
        break;
      case "e ":
        if (rest !== nonce) throw malformed(row, "the end is not ours");
        return answer;
      default:
        throw malformed(row, "a line is of no known kind");
    }
  }
  throw new CollectError("truncated-answer", "The host's answer ends too early, so part of what is installed is missing.", { next: "scan again; if it stays, look at the host's free memory and its sshd log" });
}

/** A path below the root without `.`, `..` and control characters: what the script writes, and nothing else. */
function checkedPath(path: string, row: number, { pathBytes, pathSegments }: AnswerLimits): string {
  const segments = path.split("/");
  const plain = segments.every((segment) => segment !== "" && segment !== "." && segment !== "..");
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (!plain || segments.length > pathSegments || path.length > pathBytes || /[\u0000-\u001f\u007f]/.test(path)) throw malformed(row, "a path is none");
  return path;
}

const valueLimit = 64 * 1024;

function addFact(answer: Answer, name: string, content: Buffer): void {
  const text = content.toString("utf8", 0, valueLimit);
  if (name === "find-errors") for (const path of closedDirectories(text)) answer.entries.set(path, { kind: "closed" });
  else if ((rawFactNames as readonly string[]).includes(name)) answer.facts.set(name as RawFactName, text);
}

/** What find(1) says of a directory that it may not list: GNU quotes the path, others do not. */
function closedDirectories(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const path = /^find: (?:'\/(.+)'|\/(.+)): Permission denied$/.exec(line);
    const found = path?.[1] ?? path?.[2];
    return found !== undefined && found.length < 4_096 && found.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..") ? [found] : [];
  });
}

function malformed(row: number, why: string): CollectError {
  return new CollectError("malformed-answer", `The host's answer is damaged: in line ${row}, ${why}.`, { next: "scan again; if it stays, look at what runs on the host: it may not be what it says it is" });
}

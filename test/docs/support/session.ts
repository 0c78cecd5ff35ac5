import { stripVTControlCharacters } from "node:util";
import type { Block } from "./markdown.ts";

/** A command of a `console` block with what it is said to print. */
export interface Step {
  command: string;
  expected: readonly string[];
  /** Line of the file. */
  line: number;
}

/** `$ ` begins a command, `> ` goes on with it after a backslash, all else is output. */
export function stepsOf(block: Block): Step[] {
  const steps: { command: string; expected: string[]; line: number }[] = [];
  for (const [i, line] of block.lines.entries()) {
    const last = steps.at(-1);
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), expected: [], line: block.line + i });
    else if (last === undefined) throw new Error(`line ${block.line + i}: a console block begins with a command`);
    else if (last.command.endsWith("\\") && line.startsWith("> ")) last.command = last.command.slice(0, -1) + line.slice(2);
    else last.expected.push(line);
  }
  return steps;
}

/** What differs from run to run and is compared by its form alone. */
const patterns: readonly [RegExp, string][] = [
  [/\b[a-z]{3}_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g, "<id>"],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "<time>"],
  [/\bqik_[0-9a-z]{12}_[0-9a-z]{40}\b/g, "<key>"],
  [/\bsha256:[0-9a-f]{64}\b/g, "<digest>"],
  [/ --url http:\/\/localhost:\d+/g, ""],
  [/http:\/\/(?:localhost|127\.0\.0\.1):\d+/g, "<address>"],
  [/\b[B-Z]{4}-[B-Z]{4}\b/g, "<code>"],
  [/\b[a-z0-9]{5}(?:-[a-z0-9]{5}){3}\b/g, "<password>"],
  [/\(\d+\.\d s\)/g, "<seconds>"],
  [/^( {2}Data, log +).+$/g, "$1<folder>"],
  [/^( {2}This machine +).+$/g, "$1<machine>"],
  [/^(Recorded as asset )\S+/g, "$1<host>"],
  // A scan's last events may still be on their way into the chain.
  [/^((?:events|checkpoints|unsealed|unsigned) +)\d+$/g, "$1<count>"],
  [/ +$/g, ""],
];

export function normalise(line: string): string {
  return patterns.reduce((text, [pattern, replacement]) => text.replaceAll(pattern, replacement), line);
}

/** Lines that a person would have seen: without control sequences, and without empty ones at the end. */
export function visibleLines(output: string): string[] {
  const lines = stripVTControlCharacters(output).replaceAll("\r", "").split("\n").map((line) => line.trimEnd());
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Pairs of equal lines, or undefined where they differ. `...` alone stands for any number of lines. */
export function aligned(expected: readonly string[], actual: readonly string[]): [string, string][] | undefined {
  const [first, ...rest] = expected;
  if (first === undefined) return actual.length === 0 ? [] : undefined;
  if (first === "...") {
    for (let skipped = 0; skipped <= actual.length; skipped += 1) {
      const found = aligned(rest, actual.slice(skipped));
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (actual[0] === undefined || normalise(first) !== normalise(actual[0])) return undefined;
  const found = aligned(rest, actual.slice(1));
  return found === undefined ? undefined : [[first, actual[0]], ...found];
}

/** The two outputs one under the other, with a mark before each line that the other has not. */
export function difference(expected: readonly string[], actual: readonly string[]): string {
  const mark = (lines: readonly string[], others: readonly string[], sign: string): string[] => {
    const known = new Set(others.map(normalise));
    return lines.map((line) => `${line === "..." || known.has(normalise(line)) ? " " : sign} ${line}`);
  };
  return ["the document says", ...mark(expected, actual, "-"), "it printed", ...mark(actual, expected, "+")].join("\n");
}

const id = /\b(?:[a-z]{3}_[0-7][0-9a-hjkmnp-tv-z]{25}|qik_[0-9a-z]{12}_[0-9a-z]{40})\b/g;

/** Ids and keys of the document with those that stand in their place now: later commands name them. */
export function idsOf(pairs: readonly [string, string][]): [string, string][] {
  return pairs.flatMap(([expected, actual]) => {
    const now = actual.match(id) ?? [];
    return (expected.match(id) ?? []).map((old, i): [string, string] => [old, now[i] ?? old]);
  });
}

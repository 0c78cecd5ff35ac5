import type { Readable } from "node:stream";

export type Line = { text: string } | { tooLong: true };

/** Lines of a stream. One of more than `mostBytes` is skipped and said; what stands after the last line feed is a line too. */
export async function* linesOf(stream: Readable, mostBytes: number): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let bytes = 0;
  function* end(): Generator<Line> {
    if (bytes > mostBytes) yield { tooLong: true };
    else if (bytes > 0) yield { text: Buffer.concat(parts).toString("utf8") };
    parts = [];
    bytes = 0;
  }
  for await (const chunk of stream as AsyncIterable<Buffer | string>) {
    let rest = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    for (let at = rest.indexOf(0x0a); at !== -1; at = rest.indexOf(0x0a)) {
      keep(rest.subarray(0, at));
      yield* end();
      rest = rest.subarray(at + 1);
    }
    keep(rest);
  }
  yield* end();

  function keep(part: Buffer): void {
    bytes += part.length;
    if (bytes > mostBytes) parts = [];
    else if (part.length > 0) parts.push(part);
  }
}

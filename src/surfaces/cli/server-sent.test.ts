import { describe, expect, it } from "vitest";
import { createServerSentReader } from "./server-sent.ts";

const cases: { name: string; text: string; events: { type: string; data: string }[]; lastId?: string; retry?: number }[] = [
  { name: "an event with all fields", text: "id: 7\nevent: a.b\ndata: {}\n\n", events: [{ type: "a.b", data: "{}" }], lastId: "7" },
  { name: "no type: a message", text: "data: x\n\n", events: [{ type: "message", data: "x" }] },
  { name: "several lines of data", text: "data: x\ndata: y\n\n", events: [{ type: "message", data: "x\ny" }] },
  { name: "only the first space after the colon goes", text: "data:  x\ndata:y\n\n", events: [{ type: "message", data: " x\ny" }] },
  { name: "CRLF and CR end lines too", text: "event: a\r\ndata: 1\r\n\r\ndata: 2\r\rdata: 3\n\n", events: [{ type: "a", data: "1" }, { type: "message", data: "2" }, { type: "message", data: "3" }] },
  { name: "a comment is nothing", text: ": still here\n\n", events: [] },
  { name: "an id alone moves on", text: "id: 7\n\n", events: [], lastId: "7" },
  { name: "an id counts when its block is whole", text: "id: 7\ndata: x\n\nid: 8\ndata: y\n", events: [{ type: "message", data: "x" }], lastId: "7" },
  { name: "the id stays for what has none", text: "id: 7\n\ndata: x\n\n", events: [{ type: "message", data: "x" }], lastId: "7" },
  { name: "a time to wait", text: "retry: 1500\n\nretry: soon\n\n", events: [], retry: 1500 },
  { name: "a field that nobody knows, and one without a colon", text: "colour: red\ndata\n\n", events: [{ type: "message", data: "" }] },
];

describe("reading server-sent events", () => {
  it.each(cases)("$name, whole or letter by letter", ({ text, events, lastId, retry }) => {
    for (const pieces of [[text], [...text]]) {
      const reader = createServerSentReader();
      expect([pieces.flatMap((piece) => reader.push(piece)), reader.lastId(), reader.retry()]).toEqual([events, lastId, retry]);
    }
  });

  it("given an event without end, then it is refused before memory is full", () => {
    const reader = createServerSentReader();
    const line = `data: ${"x".repeat(65_000)}\n`;
    expect(() => { for (let n = 0; n < 100; n++) reader.push(line); }).toThrow("larger than any event");
  });
});

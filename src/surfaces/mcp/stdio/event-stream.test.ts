import { expect, it } from "vitest";
import { eventsOf } from "./event-stream.ts";

async function* bytes(parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield new TextEncoder().encode(part);
}

async function all(parts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const data of eventsOf(bytes(parts), 40)) found.push(data);
  return found;
}

it.each([
  ["an event", ["event: message\ndata: {}\n\n"], ["{}"]],
  ["comments and other fields", [": open\n\nid: 1\ndata:x\n\n: alive\n\n"], ["x"]],
  ["data of several lines", ["data: a\ndata: b\n\n"], ["a\nb"]],
  ["other line ends", ["data: a\r\n\r\ndata: b\r\rdata: c"], ["a", "b"]],
  ["a line end cut in two", ["data: a\r", "\n\r", "\ndata: b\n\n"], ["a", "b"]],
  ["an event that breaks off", ["data: a\n\ndata: b"], ["a"]],
])("given %s, then its data is read", async (_case, parts, expected) => {
  expect(await all(parts)).toEqual(expected);
});

it.each([["one line", ["data: ", "x".repeat(50)]], ["many lines", Array.from({ length: 50 }, () => "data: x\n")]])("given an event of %s that is too long, then it throws", async (_case, parts) => {
  await expect(all(parts)).rejects.toThrow("more than 40 characters");
});

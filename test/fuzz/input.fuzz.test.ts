import { gzipSync } from "node:zlib";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { InjectOptions } from "fastify";
import { placeOf, routeOf } from "../../src/platform/operation/registry.ts";
import type { Operation } from "../../src/platform/operation/index.ts";
import { validateInput } from "../../src/platform/operation/validate.ts";
import type { Answer, TestPlatform } from "../../src/app/testing.ts";
import { mutantsOf } from "./mutants.ts";
import { allowedCaller, manifestPlatform, operations, plain, problemCode, someAtOnce } from "../manifest/world.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await manifestPlatform();
});
afterAll(() => platform.close());

/** A sentence about an answer that is not a clear refusal; undefined where it is one, with one of these codes if any are given. */
function unclear(what: string, answer: Answer, codes: readonly string[] = []): string | undefined {
  const code = problemCode(answer);
  if (answer.status >= 400 && answer.status < 500 && /^[a-z-]+$/.test(code) && (codes.length === 0 || codes.includes(code))) return undefined;
  return `${what}: ${answer.status} ${code} ${lastError()}`;
}

/** Where the newest error in the log came from. */
function lastError(): string {
  const { err } = JSON.parse(platform.errors().at(-1) ?? "{}") as { err?: { message?: string; stack?: string } };
  const place = err?.stack?.split("\n").find((line) => line.includes("/src/"))?.trim();
  return `${err?.message?.slice(0, 100) ?? ""} ${place ?? ""}`;
}

function accepts(operation: Operation, input: Record<string, unknown>): boolean {
  const fromText = !Object.keys(operation.input.properties).some((field) => placeOf(operation, field) === "body");
  try {
    validateInput(operation.input, fromText ? Object.fromEntries(Object.entries(input).map(([field, value]) => [field, String(value)])) : input, { fromText });
    return true;
  } catch {
    return false;
  }
}

/** Refused before anything is read or written. The path may name another route, or none. */
const refusals = ["invalid-input", "not-found", "too-large"];

describe("every operation answers wrong input with a clear 4xx", () => {
  it.each(operations)("$id: each field with wrong types, sizes, ranges and characters", async (operation) => {
    const as = operation.permission === "public" ? "anonymous" : allowedCaller(operation);
    const mutants = mutantsOf(operation).map((mutant) => ({ ...mutant, valid: accepts(operation, mutant.input) }));
    const call = (input: Record<string, unknown>): Promise<Answer> => platform.call(operation.id, { ...plain(operation), as, input });
    const wrong = mutants.filter(({ valid }) => !valid);
    const faults = await someAtOnce(wrong, async ({ what, input }) => unclear(what, await call(input), refusals));
    for (const { what, input } of mutants.filter(({ valid }) => valid)) {
      // These would end or change the session that this test calls with, or look up one password after another.
      if (operation.database === "system" && operation.permission !== "platform:feeds") break;
      const answer = await call(input);
      if (answer.status >= 500) faults.push(`${what} is valid, and yet: ${answer.status} ${answer.text} ${lastError()}`);
    }
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
    expect(wrong.length).toBeGreaterThan(0);
  });
});

function request(operation: Operation, more: Partial<InjectOptions>): InjectOptions {
  const { method, path } = routeOf(operation);
  const url = path.replaceAll(/\{(\w+)\}/g, (_, field: string) => encodeURIComponent(String(operation.examples[0]?.input[field])));
  return { method, url, ...more };
}

const json = { "content-type": "application/json" };
const withBody = operations.filter((operation) => operation.body === undefined && !["GET", "DELETE"].includes(routeOf(operation).method));
const limitOf = (operation: Operation): number => operation.maxInputBytes ?? 1024 * 1024;

describe("every operation that takes JSON refuses a body that it cannot read", () => {
  /** A body so deep that a recursive reader of it would run out of stack. */
  const deep = (depth: number, open: string, close: string): string => `{"qinfra":${open.repeat(depth)}1${close.repeat(depth)}}`;
  const bodies: readonly { what: string; headers: Record<string, string>; payload: string | Buffer; codes: readonly string[] }[] = [
    { what: "truncated JSON", headers: json, payload: '{"name": "a', codes: ["invalid-input"] },
    { what: "no JSON at all", headers: json, payload: "<xml/>", codes: ["invalid-input"] },
    { what: "two values", headers: json, payload: "{}{}", codes: ["invalid-input"] },
    { what: "a list", headers: json, payload: "[]", codes: ["invalid-input"] },
    { what: "a text", headers: json, payload: '"a"', codes: ["invalid-input"] },
    { what: "bytes that are no UTF-8", headers: json, payload: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), codes: ["invalid-input"] },
    { what: "a prototype", headers: json, payload: '{"__proto__": {"admin": true}}', codes: ["invalid-input"] },
    { what: "a constructor", headers: json, payload: '{"constructor": {"prototype": {"admin": true}}}', codes: ["invalid-input"] },
    { what: "1,000 lists in one another", headers: json, payload: deep(1_000, "[", "]"), codes: ["invalid-input"] },
    { what: "100,000 lists in one another", headers: json, payload: deep(100_000, "[", "]"), codes: ["invalid-input"] },
    { what: "100,000 objects in one another", headers: json, payload: deep(100_000, '{"a":', "}"), codes: ["invalid-input"] },
    { what: "text/plain", headers: { "content-type": "text/plain" }, payload: "{}", codes: ["unsupported-media-type"] },
    { what: "application/xml", headers: { "content-type": "application/xml" }, payload: "<a/>", codes: ["unsupported-media-type"] },
    { what: "a form", headers: { "content-type": "application/x-www-form-urlencoded" }, payload: "a=b", codes: ["unsupported-media-type"] },
    { what: "no content type", headers: { "content-type": "" }, payload: "{}", codes: ["unsupported-media-type"] },
    { what: "a feed", headers: { "content-type": "application/x-ndjson" }, payload: "{}\n", codes: ["unsupported-media-type"] },
    { what: "a packed body", headers: { ...json, "content-encoding": "gzip" }, payload: gzipSync("{}"), codes: ["unsupported-media-type", "invalid-input"] },
  ];

  it.each(withBody)("$id", async (operation) => {
    const as = operation.permission === "public" ? "anonymous" : allowedCaller(operation);
    const faults: (string | undefined)[] = [];
    for (const { what, headers, payload, codes } of bodies) {
      faults.push(unclear(what, await platform.inject(request(operation, { headers, payload }), as), codes));
    }
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
  });

  it.each(withBody)("$id: one byte more than it takes", async (operation) => {
    const as = operation.permission === "public" ? "anonymous" : allowedCaller(operation);
    const payload = Buffer.alloc(limitOf(operation) + 1, " ");
    const whole = await platform.inject(request(operation, { headers: json, payload }), as);
    expect([whole.status, problemCode(whole)]).toEqual([413, "too-large"]);
    // Without Content-Length, the bytes have to be counted.
    const chunk = Buffer.alloc(64 * 1024, " ");
    const chunks = Readable.from(Array.from({ length: Math.ceil(payload.length / chunk.length) }, () => chunk));
    const streamed = await platform.inject(request(operation, { headers: json, payload: chunks }), as);
    expect([streamed.status, problemCode(streamed)]).toEqual([413, "too-large"]);
  });

  it.each(withBody.filter((operation) => Object.keys(operation.input.properties).some((field) => placeOf(operation, field) === "body")))("$id: a field in the address and in the body", async (operation) => {
    const [field = "", value] = Object.entries(plain(operation).input ?? {}).find(([name]) => placeOf(operation, name) === "body") ?? [];
    const { url, ...rest } = request(operation, { headers: json, payload: JSON.stringify({ [field]: value }) });
    const answer = await platform.inject({ ...rest, url: `${String(url)}?${field}=x` }, allowedCaller(operation));
    expect([answer.status, problemCode(answer)]).toEqual([400, "invalid-input"]);
  });
});

describe("every operation that takes a stream refuses one that it cannot read", () => {
  it.each(operations.filter(({ body }) => body !== undefined))("$id", async (operation) => {
    const as = allowedCaller(operation);
    const [type = ""] = operation.body?.contentTypes ?? [];
    const bodies: readonly (readonly [string, Record<string, string>, string | Buffer])[] = [
      ["another content type", { "content-type": "text/html" }, "<html>"],
      ["JSON", json, "{}"],
      ["no content type", {}, "x"],
      ["nothing", { "content-type": type }, ""],
      ["text", { "content-type": type }, "not what it takes\n"],
      ["NUL", { "content-type": type }, "\u0000\n"],
      ["truncated", { "content-type": type }, '{"id": "A-1", "modi'],
      ["deep", { "content-type": type }, `${"[".repeat(100_000)}\n`],
      ["called packed, and is not", { "content-type": "application/gzip" }, "plain"],
      ["encoded, it says", { "content-type": type, "content-encoding": "gzip" }, "plain"],
      ["packed and cut off", { "content-type": "application/gzip" }, gzipSync("x".repeat(10_000)).subarray(0, 30)],
    ];
    const faults: (string | undefined)[] = [];
    for (const [what, headers, body] of bodies) faults.push(unclear(what, await platform.call(operation.id, { ...plain(operation), as, headers, body })));
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
  });
});

describe("headers of every operation", () => {
  it.each(operations)("$id: keys and organizations that cannot be", async (operation) => {
    const as = operation.permission === "public" ? "anonymous" : allowedCaller(operation);
    const call = plain(operation);
    const wrong: readonly Record<string, string>[] = [
      { "idempotency-key": "" }, { "idempotency-key": "a b" }, { "idempotency-key": "k".repeat(201) }, { "qinfra-organization": "" },
      { "qinfra-organization": "o".repeat(201) }, { "qinfra-organization": "not-an-id" }, { authorization: `Bearer ${"x".repeat(10_001)}` },
    ];
    const faults: (string | undefined)[] = [];
    for (const headers of wrong) {
      // Where nobody signs in there is no organization to work in either.
      if (operation.permission === "public" && headers["qinfra-organization"] === "not-an-id") continue;
      faults.push(unclear(JSON.stringify(headers).slice(0, 60), await platform.call(operation.id, { ...call, as, headers: { ...call.headers, ...headers } }), ["invalid-input", "unauthenticated"]));
    }
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
  });
});

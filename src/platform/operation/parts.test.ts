import { describe, expect, it } from "vitest";
import { Type } from "typebox";
import { canonicalJson, planHash } from "./canonical.ts";
import { fromCursor, numberKey, pageOf, toCursor, uuidKey } from "./cursor.ts";
import { createRateLimiter } from "./rate-limiter.ts";
import { createRegistry, type Module } from "./registry.ts";
import { operation } from "./operation.ts";
import { parseTag } from "./tags.ts";
import { validateInput } from "./validate.ts";

describe("canonical JSON", () => {
  it("is the same text for the same value, whatever the order of its keys", () => {
    expect(canonicalJson({ b: [1, { d: null, c: undefined }], a: "x" })).toBe('{"a":"x","b":[1,{"d":null}]}');
  });

  it("binds an approval to operation, input and plan", () => {
    const hash = planHash("images.delete", { id: "img_1" }, { delete: "img_1" });
    expect(planHash("images.delete", { id: "img_1" }, { delete: "img_1" })).toBe(hash);
    for (const other of [planHash("assets.delete", { id: "img_1" }, { delete: "img_1" }), planHash("images.delete", { id: "img_2" }, { delete: "img_1" }), planHash("images.delete", { id: "img_1" }, {})]) {
      expect(other).not.toBe(hash);
    }
  });
});

describe("input", () => {
  const schema = Type.Object({
    limit: Type.Optional(Type.Integer({ minimum: 1, default: 100 })),
    exact: Type.Optional(Type.Boolean()),
    name: Type.String({ minLength: 1 }),
    tags: Type.Optional(Type.Record(Type.String(), Type.String())),
  }, { additionalProperties: false });

  it("gets its defaults, and is read from text where it came as text", () => {
    expect(validateInput(schema, { name: "a" }, { fromText: false })).toEqual({ name: "a", limit: 100 });
    expect(validateInput(schema, { name: "7", limit: "7", exact: "true" }, { fromText: true })).toEqual({ name: "7", limit: 7, exact: true });
  });

  it.each([
    [{}, "/name: is required"],
    [{ name: "a", nmae: "b" }, "/nmae: is not a field of this operation"],
    [{ name: "a", limit: "7" }, "/limit: must be integer"],
    [{ name: "" }, "/name: must not have fewer than 1 characters"],
    [{ name: "a", tags: { x: 1 } }, "/tags/x: must be string"],
    [[], "/: must be object"],
    ["text", "/: must be object"],
  ])("that is wrong is refused with the place: %j", (input, message) => {
    expect(() => validateInput(schema, input, { fromText: false })).toThrow(message);
  });
});

describe("a page", () => {
  it("ends with a cursor where there is more", () => {
    const page = pageOf([1, 2, 3], 2, String);
    expect(page).toEqual({ items: [1, 2], next: toCursor("2") });
    expect(fromCursor(page.next, numberKey)).toBe("2");
    expect(pageOf([1, 2], 2, String)).toEqual({ items: [1, 2] });
  });

  it.each(["", "%%%", toCursor("not a uuid"), toCursor("1; drop table")])("refuses a cursor that is none: %j", (cursor) => {
    expect(() => fromCursor(cursor, uuidKey)).toThrow("/cursor");
  });
});

describe("the rate limit", () => {
  it("lets a burst through, then the average, each key for itself", () => {
    let now = 0;
    const limiter = createRateLimiter({ now: () => now }, { actor: 10, address: 1 });
    for (let i = 0; i < 40; i++) limiter.take("actor:a");
    expect(() => limiter.take("actor:a")).toThrow("More than 10 requests a second");
    limiter.take("actor:b");
    now = 100;
    limiter.take("actor:a");
    expect(() => limiter.take("actor:a")).toThrow("requests a second");
  });

  it("is stricter with an address than with a caller who is known", () => {
    const limiter = createRateLimiter({ now: () => 0 }, { actor: 10, address: 1 });
    for (let i = 0; i < 4; i++) limiter.take("address:192.0.2.1");
    expect(() => limiter.take("address:192.0.2.1")).toThrow("wait 1 s");
  });

  it("does not run backwards with the clock", () => {
    let now = 10_000;
    const limiter = createRateLimiter({ now: () => now }, { actor: 1, address: 1 });
    for (let i = 0; i < 4; i++) limiter.take("actor:a");
    now = 0;
    expect(() => limiter.take("actor:a")).toThrow("requests a second");
    now = 1_000;
    limiter.take("actor:a");
  });
});

describe("the registry", () => {
  const probe = (id: string, http: `GET /${string}`, cli = id) => operation({
    id, http, cli: { name: cli }, summary: id, permission: "self", reason: "a test", effect: "read", input: Type.Object({}), output: Type.Object({}), examples: [], handle: async () => ({}),
  });
  const module = (...operations: ReturnType<typeof probe>[]): Module => ({ name: "probe", operations });

  it.each([
    ["id", module(probe("a.b", "GET /a", "x"), probe("a.b", "GET /b", "y"))],
    ["route", module(probe("a.b", "GET /a/{id}", "x"), probe("a.c", "GET /a/{name}", "y"))],
    ["command", module(probe("a.b", "GET /a", "x"), probe("a.c", "GET /b", "x"))],
    ["tool", module(probe("a.b-c", "GET /a", "x"), probe("a.b.c", "GET /b", "y"))],
  ])("refuses two operations with the same %s", (what, modules) => {
    expect(() => createRegistry([modules])).toThrow(`two operations declare the ${what}`);
  });
});

it("reads a tag", () => {
  expect(parseTag("team=a=b")).toEqual({ key: "team", value: "a=b" });
  expect(() => parseTag("=x")).toThrow("key=value");
});

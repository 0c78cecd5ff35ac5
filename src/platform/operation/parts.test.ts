import { describe, expect, it } from "vitest";
import { Type } from "typebox";
import { canonicalJson, planHash } from "./canonical.ts";
import { fromCursor, numberKey, pageOf, toCursor, uuidKey } from "./cursor.ts";
import { anonymous, type Actor } from "../actor.ts";
import { TypeId } from "../ids.ts";
import { createMemoryLimits } from "../limits/index.ts";
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
    order: Type.Optional(Type.Union([Type.Literal("up"), Type.Literal("down")])),
    kind: Type.Optional(Type.Enum(["tree", "bush"])),
    since: Type.Optional(Type.String({ format: "date-time" })),
    day: Type.Optional(Type.String({ format: "date" })),
    user: Type.Optional(TypeId("usr", "Who")),
    hosts: Type.Optional(Type.Array(Type.Object({ host: Type.String({ pattern: "^[a-z0-9]+$", examples: ["web01", "db01"] }) }))),
  }, { additionalProperties: false });

  it("gets its defaults, and is read from text where it came as text", () => {
    expect(validateInput(schema, { name: "a" }, { fromText: false })).toEqual({ name: "a", limit: 100 });
    expect(validateInput(schema, { name: "7", limit: "7", exact: "true" }, { fromText: true })).toEqual({ name: "7", limit: 7, exact: true });
  });

  it.each([
    [{}, "/name: is required"],
    [{ name: "a", nmae: "b" }, "/nmae: is not a known field"],
    [{ name: "a", limit: "7" }, "/limit: must be integer"],
    [{ name: "" }, "/name: must not have fewer than 1 characters"],
    [{ name: "a", tags: { x: 1 } }, "/tags/x: must be string"],
    [{ name: "a", order: "left" }, /^\/order: must be one of up, down$/],
    [{ name: "a", kind: "herb" }, /^\/kind: must be one of tree, bush$/],
    [{ name: "a", since: "tomorrow" }, "/since: must be a time such as 2026-12-31T18:00:00Z"],
    [{ name: "a", day: "tomorrow" }, "/day: must be a day such as 2026-12-31"],
    [{ name: "a", user: "ada", day: "tomorrow" }, /^\/day: .*; \/user: must be an id, which begins with usr_$|^\/user: must be an id, which begins with usr_; \/day: /],
    [{ name: "a", hosts: [{ host: "web01" }, { host: "-" }] }, "/hosts/1/host: must be like web01 or db01 (pattern ^[a-z0-9]+$)"],
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
  const limiterOf = (most: { actor: number; address: number }) => createRateLimiter(createMemoryLimits({ now: () => 0 }), most);
  const user = (userId: string): Actor => ({ ...anonymous, kind: "user", userId });
  const key = (keyId: string, userId: string): Actor => ({ ...anonymous, kind: "api-key", keyId, userId });

  it("counts each caller by itself, and tells how they stand", async () => {
    const limiter = limiterOf({ actor: 10, address: 1 });
    const told: number[] = [];
    for (let i = 0; i < 40; i++) await limiter.take({ actor: user("ada"), address: "" }, ({ remaining }) => told.push(remaining));
    expect([told[0], told[39]]).toEqual([39, 0]);
    await expect(limiter.take({ actor: user("ada"), address: "" })).rejects.toThrow("More than 10 requests a second; wait 1 s");
    await limiter.take({ actor: user("grace"), address: "" });
  });

  it("gives a person with many keys no more than with one", async () => {
    const limiter = limiterOf({ actor: 10, address: 1 });
    for (let i = 0; i < 40; i++) await limiter.take({ actor: key(`key-${i}`, "ada"), address: "" });
    await expect(limiter.take({ actor: key("another", "ada"), address: "" })).rejects.toThrow("requests a second");
  });

  it("is stricter with an address than with a caller who is known", async () => {
    const limiter = limiterOf({ actor: 10, address: 1 });
    for (let i = 0; i < 4; i++) await limiter.take({ actor: anonymous, address: "192.0.2.1" });
    await expect(limiter.take({ actor: anonymous, address: "192.0.2.1" })).rejects.toThrow("wait 1 s");
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
    expect(() => createRegistry([modules])).toThrow(`the ${what} `);
  });
});

it("reads a tag", () => {
  expect(parseTag("team=a=b")).toEqual({ key: "team", value: "a=b" });
  expect(() => parseTag("=x")).toThrow("key=value");
});

import { describe, expect, it } from "vitest";
import { exitCodeOf } from "./exit-codes.ts";
import { fieldHelp, nullValue, readValue, type Field } from "./fields.ts";
import { isNullable, kebab, kindOf, type JsonSchema } from "./schema.ts";

const field = (schema: JsonSchema): Field => ({ name: "x", flag: "--x", kind: kindOf(schema), required: false, description: "", nullable: isNullable(schema) });

describe("kindOf", () => {
  it.each<[JsonSchema, object]>([
    [{ type: "string" }, { kind: "string" }],
    [{ type: "integer", minimum: 1, maximum: 9 }, { kind: "integer", minimum: 1, maximum: 9 }],
    [{ type: ["number", "null"] }, { kind: "number" }],
    [{ enum: ["a", "b"] }, { kind: "choice", choices: ["a", "b"] }],
    [{ anyOf: [{ const: "a" }, { const: "b" }] }, { kind: "choice", choices: ["a", "b"] }],
    [{ anyOf: [{ type: "string" }, { type: "null" }] }, { kind: "string" }],
    [{ anyOf: [{ const: "current", type: "string" }, { type: "string" }] }, { kind: "string" }],
    [{ anyOf: [{ enum: ["a"] }, { const: "b" }, { type: "null" }] }, { kind: "choice", choices: ["a", "b"] }],
    [{ anyOf: [{ type: "string" }, { type: "integer" }] }, { kind: "json" }],
    [{ type: "array", items: { enum: ["a"] } }, { kind: "array", item: { kind: "choice", choices: ["a"] } }],
    [{ type: "object", patternProperties: { "^.*$": { type: "string" } } }, { kind: "map" }],
    [{ type: "object", additionalProperties: { type: "string" } }, { kind: "map" }],
    [{ type: "object", patternProperties: { "^.*$": { type: "integer" } } }, { kind: "json" }],
    [{ type: "object", properties: { id: { type: "string" } } }, { kind: "json" }],
    [{}, { kind: "json" }],
  ])("%j", (schema, expected) => {
    expect(kindOf(schema)).toEqual(expected);
  });
});

describe("readValue", () => {
  it.each<[JsonSchema, string, unknown, unknown]>([
    [{ type: "integer" }, "-3", undefined, -3],
    [{ type: "number" }, "1e3", undefined, 1000],
    [{ type: "array", items: { type: "integer" } }, "2", [1], [1, 2]],
    [{ type: "object", additionalProperties: { type: "string" } }, "b=c=d", { a: "1" }, { a: "1", b: "c=d" }],
    [{ type: "object", additionalProperties: { type: "string" } }, '{"b":"2"}', { a: "1" }, { a: "1", b: "2" }],
    [{ anyOf: [{ type: "string" }, { type: "null" }] }, "null", undefined, nullValue],
    [{ type: "string" }, "null", undefined, "null"],
    [{ type: "object", properties: {} }, '{"n":[1]}', undefined, { n: [1] }],
  ])("%j takes %j", (schema, text, before, expected) => {
    expect(readValue(field(schema), text, before)).toEqual(expected);
  });

  it.each<[JsonSchema, string]>([
    [{ type: "integer" }, "1.5"], [{ type: "integer" }, ""], [{ type: "number" }, "Infinity"], [{ type: "integer" }, "9007199254740993"],
    [{ enum: ["a"] }, "A"], [{ type: "object", additionalProperties: { type: "string" } }, "=x"],
    [{ type: "object", additionalProperties: { type: "string" } }, '{"b":2}'], [{ type: "array", items: { type: "object", properties: {} } }, "{"],
  ])("%j refuses %j", (schema, text) => {
    expect(() => readValue(field(schema), text, undefined)).toThrow(/^It|^Its/);
  });
});

describe("help of a field", () => {
  it("says what holds", () => {
    expect(fieldHelp({ ...field({ type: "array", items: { type: "string" } }), description: "Tags", required: true })).toBe("Tags (required; can be repeated)");
    expect(fieldHelp({ ...field({ type: "integer" }), default: 5 })).toBe("(default: 5)");
  });

  it.each([["fixedVersion", "fixed-version"], ["asOf2Days", "as-of2-days"], ["URL", "url"], ["a_b", "a-b"]])("%s is --%s", (name, expected) => {
    expect(kebab(name)).toBe(expected);
  });
});

describe("exit codes of refusals", () => {
  it.each([[403, 1], [404, 1], [409, 1], [422, 1], [400, 2], [401, 2], [413, 2], [429, 2], [499, 2], [500, 2], [503, 2]])("status %i is %i", (status, code) => {
    expect(exitCodeOf({ status })).toBe(code);
  });
});

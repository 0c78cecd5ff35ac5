import { Type, type TObject, type TProperties } from "typebox";
import { expect, it } from "vitest";
import { incompatibilities } from "./evolution.ts";

const base = {
  id: Type.String({ pattern: "^[a-z]{3}$", description: "Which" }),
  count: Type.Integer({ minimum: 1, maximum: 10 }),
  how: Type.Enum(["fast", "slow"]),
  note: Type.Optional(Type.String({ format: "date-time", maxLength: 40 })),
  from: Type.Union([Type.Object({ x: Type.Integer() }), Type.Null()]),
  kind: Type.Union([Type.Literal("a"), Type.Literal("b")]),
  many: Type.Array(Type.Enum(["p", "q"]), { maxItems: 5 }),
};

/** The base with other members; undefined takes one away. */
function changed(members: { [name: string]: TProperties[string] | undefined }): TObject {
  return Type.Object(Object.fromEntries(Object.entries({ ...base, ...members }).flatMap(([name, schema]) => (schema === undefined ? [] : [[name, schema]]))));
}

const found = (after: Record<string, object>): string[] => incompatibilities({ "tests.moved": json(Type.Object(base)) }, Object.fromEntries(Object.entries(after).map(([type, schema]) => [type, json(schema)])));
const json = (schema: object): Record<string, unknown> => JSON.parse(JSON.stringify(schema)) as Record<string, unknown>;

it.each([
  ["nothing", {}],
  ["other words", { id: Type.String({ pattern: "^[a-z]{3}$", description: "Which of them", examples: ["abc"] }) }],
  ["a new optional member", { more: Type.Optional(Type.Integer()) }],
  ["a new value of an enumeration", { how: Type.Enum(["fast", "medium", "slow"]) }],
  ["the same values as other words", { kind: Type.Enum(["b", "a"]) }],
  ["a constant that becomes one of several", { kind: Type.Union([Type.Literal("a"), Type.Literal("b"), Type.Literal("c")]) }],
  ["wider limits", { count: Type.Integer({ minimum: 0, maximum: 100 }), many: Type.Array(Type.Enum(["p", "q"])) }],
  ["a new optional member further down", { from: Type.Union([Type.Object({ x: Type.Integer(), y: Type.Optional(Type.Integer()) }), Type.Null()]) }],
])("takes %s", (_what, members) => {
  expect(found({ "tests.moved": changed(members) })).toEqual([]);
});

it("takes a new type", () => {
  expect(found({ "tests.moved": changed({}), "tests.came": Type.Object({ any: Type.Integer() }) })).toEqual([]);
});

it("refuses that a type goes", () => {
  expect(found({})).toEqual([expect.stringMatching(/^tests\.moved is no longer declared/)]);
});

it.each([
  ["a member that goes", { count: undefined }, "tests.moved.count is gone"],
  ["an optional one that goes", { note: undefined }, "tests.moved.note is gone"],
  ["one of another name", { count: undefined, number: Type.Optional(Type.Integer()) }, "tests.moved.count is gone"],
  ["a new one that must be there", { more: Type.Integer() }, "tests.moved.more is new and must be there"],
  ["one that may be absent", { count: Type.Optional(base.count) }, "tests.moved.count may be absent now"],
  ["one that must be there", { note: Type.String({ format: "date-time", maxLength: 40 }) }, "tests.moved.note must be there now"],
  ["another type", { count: Type.String() }, "tests.moved.count is string instead of integer"],
  ["a number that may have a fraction", { count: Type.Number({ minimum: 1, maximum: 10 }) }, "tests.moved.count is number instead of integer"],
  ["a value that goes", { how: Type.Enum(["fast"]) }, 'tests.moved.how can no longer be "slow"'],
  ["a value of another name", { kind: Type.Enum(["a", "c"]) }, 'tests.moved.kind can no longer be "b"'],
  ["an enumeration that ends", { how: Type.String() }, "tests.moved.how is no enumeration any more"],
  ["an enumeration that begins", { id: Type.Enum(["abc"]) }, "tests.moved.id is an enumeration now"],
  ["another pattern", { id: Type.String({ pattern: "^[a-z]{4}$" }) }, "tests.moved.id has another pattern"],
  ["another format", { note: Type.Optional(Type.String({ format: "date", maxLength: 40 })) }, "tests.moved.note has another format"],
  ["a pattern that was not there", { count: Type.Integer({ minimum: 1, maximum: 10, multipleOf: 2 }) }, "tests.moved.count has another multipleOf"],
  ["a lower maximum", { count: Type.Integer({ minimum: 1, maximum: 9 }) }, "tests.moved.count has maximum 9 instead of 10"],
  ["a higher minimum", { count: Type.Integer({ minimum: 2, maximum: 10 }) }, "tests.moved.count has minimum 2 instead of 1"],
  ["a limit that was not there", { many: Type.Array(Type.Enum(["p", "q"]), { maxItems: 5, minItems: 1 }) }, "tests.moved.many has minItems 1 instead of none"],
  ["one that can no longer be null", { from: Type.Object({ x: Type.Integer() }) }, "tests.moved.from is object instead of one of several kinds"],
  ["one that can be null now", { count: Type.Union([base.count, Type.Null()]) }, "tests.moved.count is one of several kinds instead of integer"],
  ["another kind", { from: Type.Union([Type.Object({ x: Type.Integer() }), Type.Null(), Type.Boolean()]) }, "tests.moved.from is one of 3 kinds instead of 2"],
  ["a member further down that goes", { from: Type.Union([Type.Object({}), Type.Null()]) }, "tests.moved.from (kind 1).x is gone"],
  ["a list of other things", { many: Type.Array(Type.Enum(["p"]), { maxItems: 5 }) }, 'tests.moved.many[] can no longer be "q"'],
])("refuses %s", (_what, members, message) => {
  const faults = found({ "tests.moved": changed(members) });
  expect(faults.join("\n")).toContain(message);
});

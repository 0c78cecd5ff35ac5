import { Type } from "typebox";
import { expect, it } from "vitest";
import { checkData } from "./check-data.ts";
import { eventType } from "./declare.ts";

const Moved = eventType({
  type: "tests.moved", summary: "Something moved", permission: "tests:read",
  data: {
    to: Type.String({ pattern: "^[a-z]{1,10}$" }),
    how: Type.Optional(Type.Enum(["fast", "slow"])),
    by: Type.Optional(Type.Union([Type.Object({ steps: Type.Integer({ minimum: 1 }) }), Type.Null()])),
    via: Type.Optional(Type.Array(Type.Object({ x: Type.Integer() }), { maxItems: 2 })),
  },
});

it.each([
  ["what is required", { to: "there" }],
  ["all that may be", { to: "there", how: "fast", by: { steps: 2 }, via: [{ x: 1 }] }],
  ["null where it may be", { to: "there", by: null }],
])("takes %s", (_what, data) => {
  expect(() => checkData(Moved, data)).not.toThrow();
});

it.each([
  ["nothing at all", undefined, "data must be object"],
  ["what lacks a member", {}, "required"],
  ["a member that nobody declared", { to: "there", comment: "they said so" }, "additional"],
  ["one further down", { to: "there", by: { steps: 1, comment: "" } }, "data/by"],
  ["one in a list", { to: "there", via: [{ x: 1, comment: "" }] }, "data/via/0"],
  ["text that is no id", { to: "over there" }, "data/to must match pattern"],
  ["another word", { to: "there", how: "somehow" }, "data/how"],
  ["too many", { to: "there", via: [{ x: 1 }, { x: 2 }, { x: 3 }] }, "data/via"],
])("refuses %s", (_what, data, message) => {
  expect(() => checkData(Moved, data)).toThrow(TypeError);
  expect(() => checkData(Moved, data)).toThrow(`tests.moved is not as declared`);
  expect(() => checkData(Moved, data)).toThrow(message);
});

it("never repeats what it refuses, which can be what somebody wrote", () => {
  expect(() => checkData(Moved, { to: "needle needle" })).toThrow(/^(?!.*needle)/);
});

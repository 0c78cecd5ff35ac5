import { Type } from "typebox";
import { describe, expect, test } from "vitest";
import { limitsOf, typeText, type Schema } from "./schema-text.ts";

describe("a schema as text", () => {
  test.each<[unknown, string, string]>([
    [Type.String({ minLength: 1, maxLength: 100 }), "string", "1 to 100 characters"],
    [Type.Integer({ minimum: 1, maximum: 1000, default: 100 }), "integer", "1 to 1,000, default 100"],
    [Type.Integer({ minimum: 0 }), "integer", "at least 0"],
    [Type.Union([Type.Literal("a"), Type.Literal("b")]), '"a" | "b"', ""],
    [Type.Enum(["a", "b"]), '"a" | "b"', ""],
    [Type.Union([Type.String(), Type.Null()]), "string or null", ""],
    [Type.Array(Type.String(), { maxItems: 5 }), "list of string", "at most 5 entries"],
    [Type.Record(Type.String(), Type.Number()), "map of number", ""],
    [Type.String({ format: "date-time" }), "date-time", ""],
    [Type.Object({ a: Type.String() }), "object", ""],
    [Type.Unknown(), "anything", ""],
  ])("%j is %s", (schema, type, limits) => {
    expect([typeText(schema as Schema), limitsOf(schema as Schema).join(", ")]).toEqual([type, limits]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TSchema } from "typebox";
import { faultsAgainst } from "../../src/platform/operation/validate.ts";
import type { TestPlatform } from "../../src/app/testing.ts";
import { arranged, manifestPlatform, operations } from "./world.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await manifestPlatform();
});
afterAll(() => platform.close());

describe("every example of every operation", () => {
  const examples = operations.flatMap((operation) => operation.examples.map((example, i) => ({ name: `${operation.id} ${i + 1}`, operation, example })));

  it.each(examples)("$name succeeds, and its answer is exactly what the operation declares", async ({ operation, example }) => {
    const answer = await platform.call(operation.id, await arranged(platform, operation, example));
    expect({ status: answer.status, text: answer.status < 300 ? "" : answer.text, errors: platform.errors() }).toEqual({ status: operation.creates === true ? 201 : 200, text: "", errors: [] });
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    expect(faultsAgainst(closed(operation.output), answer.body)).toEqual([]);
  });
});

/** The schema with every object closed, so that a field which is answered but not declared is a fault. */
function closed(schema: TSchema): TSchema {
  return JSON.parse(JSON.stringify(schema), (_key, value: unknown) => {
    const isObject = typeof value === "object" && value !== null && (value as { type?: unknown }).type === "object" && "properties" in value;
    return isObject && !("additionalProperties" in value) ? { ...value, additionalProperties: false } : value;
  }) as TSchema;
}

describe("the check of answers itself", () => {
  it("finds a field that is not declared, however deep", () => {
    const schema = { type: "object", required: ["items"], properties: { items: { type: "array", items: { type: "object", properties: { id: { type: "string" } } } } } } as unknown as TSchema;
    expect(faultsAgainst(closed(schema), { items: [{ id: "a" }] })).toEqual([]);
    expect(faultsAgainst(closed(schema), { items: [{ id: "a", hash: "b" }] })).toEqual([{ path: "/items/0/hash", message: "is not a known field" }]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestPlatform } from "../../src/app/testing.ts";
import { hasDoor, mcpName } from "../../src/platform/operation/registry.ts";
import { outcome, rpc } from "../manifest/mcp-calls.ts";
import { allowedCaller, manifestPlatform, operations, plain, someAtOnce } from "../manifest/world.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await manifestPlatform();
});
afterAll(() => platform.close());

const tools = operations.filter((operation) => hasDoor(operation, "mcp"));

describe("wrong input to a tool", () => {
  const takesSomething = tools.filter((operation) => Object.keys(operation.input.properties).length > 0);
  const values: readonly (readonly [string, string])[] = [
    ["null", "null"], ["a number", "1e308"], ["NUL", '"a\\u0000b"'], ["half a surrogate pair", '"\\ud800"'], ["an object with NUL", '{"a\\u0000":"\\u0000"}'], ["an object with half a surrogate pair", '{"a":"\\ud800"}'],
    ["1,000 lists", `${"[".repeat(1_000)}${"]".repeat(1_000)}`], ["a long text", `"${"a".repeat(50_000)}"`],
  ];

  it.each(takesSomething)("is a refusal of $id that a model can read, never an internal error", async (operation) => {
    const base = plain(operation).input ?? {};
    const wrong = [...Object.keys(operation.input.properties), "qinfraUnknown"].flatMap((field) => values.map(([what, value]) => ({ field, what, value })));
    const faults = await someAtOnce(wrong, async ({ field, what, value }) => {
      const others = Object.entries(base).filter(([name]) => name !== field).map(([name, one]) => `${JSON.stringify(name)}:${JSON.stringify(one)},`).join("");
      const reply = await rpc(platform, allowedCaller(operation), "tools/call", `{"name":"${mcpName(operation)}","arguments":{${others}"${field}":${value}}}`);
      return /^(internal|no problem|error -32603)/.test(outcome(reply)) ? `${field}: ${what}: ${outcome(reply)}` : undefined;
    });
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
  });

  it.each(takesSomething)("as deep as a stack goes does not reach $id", async (operation) => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const reply = await rpc(platform, allowedCaller(operation), "tools/call", `{"name":"${mcpName(operation)}","arguments":{"deep":${deep}}}`);
    expect([reply.status < 500, outcome(reply)]).toEqual([true, expect.not.stringMatching(/^(ok|internal|no problem)/)]);
  });
});

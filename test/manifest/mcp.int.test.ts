import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasDoor, mcpName } from "../../src/platform/operation/registry.ts";
import type { Caller, TestPlatform } from "../../src/app/testing.ts";
import { roleColumns } from "../../src/app/reference-docs.ts";
import { grants } from "../../src/platform/actor.ts";
import { callTool, outcome, rpc } from "./mcp-calls.ts";
import { fitting, idKindsOf, makerOf, manifestPlatform, allowedCaller, operations, plain, withRealIds } from "./world.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await manifestPlatform();
});
afterAll(() => platform.close());

async function listed(as: Caller): Promise<string[]> {
  const { result } = await rpc(platform, as, "tools/list", "{}");
  return (result?.tools ?? []).map(({ name }) => name).sort();
}

const tools = operations.filter((operation) => hasDoor(operation, "mcp"));
const closed = operations.filter((operation) => !hasDoor(operation, "mcp"));
const roleCallers: readonly Caller[] = ["platform-admin", "admin", "operator", "viewer", "auditor"];

it("an anonymous caller is refused at the door", async () => {
  expect((await rpc(platform, "anonymous", "tools/list", "{}")).status).toBe(401);
  expect((await rpc(platform, "anonymous", "tools/call", '{"name":"users_me","arguments":{}}')).status).toBe(401);
});

describe("the tools that are listed", () => {
  it("are declared, and what is declared and not listed is refused to every program: by a policy, or because only a person can confirm it", async () => {
    const names = await listed("platform-admin");
    expect(names.filter((name) => !tools.some((operation) => mcpName(operation) === name))).toEqual([]);
    for (const operation of tools.filter((one) => !names.includes(mcpName(one)))) {
      const refusal = operation.confirm === undefined ? "policy-denied" : "confirmation-needed";
      expect([operation.id, outcome(await callTool(platform, "platform-admin", operation, plain(operation).input))]).toEqual([operation.id, refusal]);
    }
  });

  it.each(closed)("do not hold $id, and calling it is an error", async (operation) => {
    expect(await listed("platform-admin")).not.toContain(mcpName(operation));
    expect(outcome(await callTool(platform, "platform-admin", operation, plain(operation).input))).toMatch(/^error -?\d+$/);
  });
});

describe("each role may call the tools of its operations, and no other", () => {
  it.each(roleCallers)("%s", async (caller) => {
    const column = roleColumns[roleCallers.indexOf(caller)];
    const names = await listed(caller);
    const faults: string[] = [];
    for (const operation of tools) {
      const { permission } = operation;
      const may = permission === "self" || (grants(column?.permissions ?? [], permission) && (column?.platform === true || !permission.startsWith("platform:")));
      const authorization = await platform.newSession(platform.person(caller as "admin"));
      const found = outcome(await callTool(platform, caller, operation, plain(operation).input, authorization));
      if ((found === "permission-missing") === may) faults.push(`${operation.id}: ${found}`);
      if (!may && names.includes(mcpName(operation))) faults.push(`${operation.id} is listed`);
      if (/^(internal|error|no problem)/.test(found)) faults.push(`${operation.id}: ${found}`);
    }
    expect(faults).toEqual([]);
  });
});

describe("ids of another organization", () => {
  const idFields = tools.filter(({ permission }) => !permission.startsWith("platform:")).flatMap((operation) => Object.entries(operation.input.properties).flatMap(([field, schema]) => idKindsOf(schema).map((kind) => ({ operation, field, kind }))));

  it.each(idFields)("are not found: $operation.id /$field", async ({ operation, field, kind }) => {
    const owner = allowedCaller(operation);
    const example = operation.examples.find(({ input }) => field in input) ?? { input: {} };
    const input = await fitting(platform, operation, { ...await withRealIds(platform, operation, example, owner), [field]: await makerOf(operation, field, kind)?.(platform, owner) }, owner);
    const reply = await callTool(platform, "other-tenant-admin", operation, input);
    expect(outcome(reply)).toMatch(/not-found$|^policy-denied$/); // some no program may call, whatever it names
  });
});

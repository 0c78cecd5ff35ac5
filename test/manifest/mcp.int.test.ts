import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasDoor, mcpName } from "../../src/platform/operation/registry.ts";
import type { Operation } from "../../src/platform/operation/index.ts";
import type { Caller, TestPlatform } from "../../src/app/testing.ts";
import { roleColumns } from "../../src/app/reference-docs.ts";
import { grants } from "../../src/platform/actor.ts";
import { allowedCaller, fitting, idKindsOf, makerOf, manifestPlatform, operations, plain, someAtOnce, withRealIds } from "./world.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await manifestPlatform();
});
afterAll(() => platform.close());

interface Reply {
  status: number;
  result?: { tools?: { name: string }[]; isError?: boolean; content?: { text: string }[]; _meta?: Record<string, { code: string; status: number }> };
  error?: { code: number; message: string };
}

/** One JSON-RPC request; the reply comes as JSON or as the last event of a stream. */
async function rpc(as: Caller, method: string, params: string, authorization?: string): Promise<Reply> {
  const answer = await platform.inject({
    method: "POST", url: "/mcp", payload: `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`,
    headers: {
      "content-type": "application/json", accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25",
      ...(authorization === undefined ? {} : { authorization }),
    },
  }, as);
  const data = answer.text.split("\n").filter((line) => line.startsWith("data: ")).at(-1)?.slice("data: ".length);
  const message = (data === undefined ? answer.body : JSON.parse(data)) as Omit<Reply, "status">;
  return { ...message, status: answer.status };
}

function callTool(as: Caller, operation: Operation, input: unknown, authorization?: string): Promise<Reply> {
  return rpc(as, "tools/call", JSON.stringify({ name: mcpName(operation), arguments: input }), authorization);
}

/** `ok`, or the code of the refusal. */
function outcome(reply: Reply): string {
  if (reply.error !== undefined) return `error ${reply.error.code}`;
  if (reply.result?.isError !== true) return "ok";
  return Object.values(reply.result._meta ?? {})[0]?.code ?? `no problem: ${JSON.stringify(reply).slice(0, 200)}`;
}

async function listed(as: Caller): Promise<string[]> {
  const { result } = await rpc(as, "tools/list", "{}");
  return (result?.tools ?? []).map(({ name }) => name).sort();
}

const tools = operations.filter((operation) => hasDoor(operation, "mcp"));
const closed = operations.filter((operation) => !hasDoor(operation, "mcp"));
const roleCallers: readonly Caller[] = ["platform-admin", "admin", "operator", "viewer", "auditor"];

it("an anonymous caller is refused at the door", async () => {
  expect((await rpc("anonymous", "tools/list", "{}")).status).toBe(401);
  expect((await rpc("anonymous", "tools/call", '{"name":"users_me","arguments":{}}')).status).toBe(401);
});

describe("the tools that are listed", () => {
  it("are declared, and what is declared and not listed is refused to every program: by a policy, or because only a person can confirm it", async () => {
    const names = await listed("platform-admin");
    expect(names.filter((name) => !tools.some((operation) => mcpName(operation) === name))).toEqual([]);
    for (const operation of tools.filter((one) => !names.includes(mcpName(one)))) {
      const refusal = operation.confirm === undefined ? "policy-denied" : "confirmation-needed";
      expect([operation.id, outcome(await callTool("platform-admin", operation, plain(operation).input))]).toEqual([operation.id, refusal]);
    }
  });

  it.each(closed)("do not hold $id, and calling it is an error", async (operation) => {
    expect(await listed("platform-admin")).not.toContain(mcpName(operation));
    expect(outcome(await callTool("platform-admin", operation, plain(operation).input))).toMatch(/^error -?\d+$/);
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
      const found = outcome(await callTool(caller, operation, plain(operation).input, authorization));
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
    const reply = await callTool("other-tenant-admin", operation, input);
    expect(outcome(reply)).toMatch(/not-found$|^policy-denied$/); // some no program may call, whatever it names
  });
});

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
      const reply = await rpc(allowedCaller(operation), "tools/call", `{"name":"${mcpName(operation)}","arguments":{${others}"${field}":${value}}}`);
      return /^(internal|no problem|error -32603)/.test(outcome(reply)) ? `${field}: ${what}: ${outcome(reply)}` : undefined;
    });
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
  });

  it.each(takesSomething)("as deep as a stack goes does not reach $id", async (operation) => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const reply = await rpc(allowedCaller(operation), "tools/call", `{"name":"${mcpName(operation)}","arguments":{"deep":${deep}}}`);
    expect([reply.status < 500, outcome(reply)]).toEqual([true, expect.not.stringMatching(/^(ok|internal|no problem)/)]);
  });
});

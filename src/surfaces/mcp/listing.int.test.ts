import { beforeAll, expect, it } from "vitest";
import { Type } from "typebox";
import { anonymous, type Actor } from "../../platform/actor.ts";
import type { DeclaredError } from "../../platform/errors.ts";
import { operation, type Effect, type Operation } from "../../platform/operation/operation.ts";
import { execute } from "../../platform/operation/pipeline.ts";
import { createRegistry } from "../../platform/operation/registry.ts";
import { listedFor } from "./listing.ts";
import { createTestServices, userWith, type TestServices } from "./testing.ts";
import { toolsOf } from "./tools.ts";

function withPermission(name: string, permission: Operation["permission"], effect: Effect = "read"): Operation {
  return operation({
    id: `things.${name}`, http: `POST /api/v1/things/${name}`, summary: name, permission, effect, ...(permission.includes(":") ? {} : { reason: "test" }),
    input: Type.Object({}), output: Type.Object({}), examples: [{ input: {} }], handle: async () => ({}),
  });
}

const operations = [
  withPermission("open", "public"), withPermission("own", "self"), withPermission("read", "things:read"), withPermission("write", "things:write", "change"),
  withPermission("remove", "things:write", "destructive"), withPermission("feeds", "platform:feeds"), withPermission("members", "members:write", "change"),
];
const registry = createRegistry([{ name: "test", operations }]);
let services: TestServices;
beforeAll(async () => {
  services = await createTestServices(() => undefined);
});

const cases: [string, Actor, string[]][] = [
  ["no permission", userWith(), ["open", "own"]],
  ["one permission", userWith("things:read"), ["open", "own", "read"]],
  ["a wildcard", userWith("things:*"), ["open", "own", "read", "write", "remove"]],
  ["a permission over identities, which no program may use", userWith("members:write"), ["open", "own"]],
  ["a permission over the platform outside of its organization", userWith("platform:feeds"), ["open", "own"]],
  ["a one-time password", { ...userWith("things:*"), mustChangePassword: true }, ["open"]],
];

it.each(cases)("given a caller with %s, then it is shown what it may call", async (_case, actor, expected) => {
  const tools = await listedFor(services, toolsOf(registry).values(), { ...actor, ai: true });
  expect(tools.map(({ name }) => name)).toEqual(expected.map((name) => `things_${name}`));
});

it.each(cases)("given a caller with %s, then a call of what is not shown is forbidden, and of nothing else", async (_case, actor, expected) => {
  for (const tool of operations) {
    const call = { door: "mcp", requestId: "r", credentials: {}, address: "local", input: {}, fromText: false, signal: new AbortController().signal } as const;
    const refused = await execute({ ...services, authenticate: async () => actor }, tool, call).then(() => undefined, (error: DeclaredError) => error.type.code);
    const forbidden = ["permission-missing", "policy-denied", "password-change-required"].includes(refused ?? "");
    expect(forbidden, `${tool.id}: ${refused ?? "done"}`).toBe(!expected.includes(tool.summary));
  }
});

it("given nobody, then only what is for everybody is shown", async () => {
  const tools = await listedFor(services, toolsOf(registry).values(), { ...anonymous, ai: true });
  expect(tools.map(({ name }) => name)).toEqual(["things_open"]);
});

it("given an operation that takes a body, then no tools are made, with the way out", () => {
  const streaming = { ...withPermission("upload", "things:write", "change"), body: { contentTypes: ["text/plain"], description: "text" } };
  expect(() => toolsOf(createRegistry([{ name: "test", operations: [streaming] }]))).toThrow("things.upload takes a body, which no tool can send");
});

import { afterAll, beforeAll, expect, it } from "vitest";
import { rolePermissions } from "./roles.ts";
import { testPlatform, type TestPlatform } from "../../app/testing.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.close());

it("lets an API key give no role that may do more than the key", async () => {
  const made = await platform.call("api-keys.create", { as: "admin", input: { name: "provisioning", scopes: ["members:write", "members:read"] } });
  const { key } = made.body as { key: string };
  const authorization = `Bearer ${key}`;
  const wide = await platform.call("members.add", { authorization, input: { name: "mallory", role: "admin" } });
  expect(wide.body, made.text).toMatchObject({ status: 403, code: "role-too-wide" });
  const members = (await platform.call("members.list", { as: "admin" })).body as { items: { user: string; role: string }[] };
  const viewer = members.items.find((member) => member.role === "viewer");
  expect((await platform.call("members.set-role", { authorization, input: { user: viewer?.user, role: "operator" } })).body).toMatchObject({ code: "role-too-wide" });
});

it("lets a key that holds nothing of the platform make no administrator of the platform", async () => {
  const scopes = [...rolePermissions.admin];
  const made = await platform.call("api-keys.create", { as: "platform-admin", input: { name: "everything of a tenant", scopes } });
  const authorization = `Bearer ${(made.body as { key: string }).key}`;
  for (const [operation, input] of [
    ["members.add", { name: "eve", role: "admin" }], ["invitations.create", { role: "admin" }], ["service-accounts.create", { name: "eve", role: "admin" }],
  ] as const) {
    expect((await platform.call(operation, { authorization, input })).body, operation).toMatchObject({ status: 403, code: "role-too-wide" });
  }
  expect((await platform.call("members.add", { authorization, input: { name: "olga", role: "operator" } })).status).toBe(201);
});

it("lets an administrator give every role", async () => {
  for (const role of ["admin", "operator", "viewer", "auditor"]) {
    expect((await platform.call("members.add", { as: "admin", input: { name: `new-${role}`, role } })).status).toBe(201);
  }
});

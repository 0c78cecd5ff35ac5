import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Credentials } from "../../platform/operation/services.ts";
import { organizationsUnderTest, type UnderTest } from "./testing/platform.ts";

let test: UnderTest;
let admin: Awaited<ReturnType<UnderTest["administrator"]>>;
beforeAll(async () => {
  test = await organizationsUnderTest();
  admin = await test.administrator();
});
afterAll(() => test.close());

const can = async (permission: string, credentials: Credentials) => (await test.call<{ can: { allowed: boolean; because: string[] } }>("users.me", { can: permission }, credentials)).can;

describe("whoami --can", () => {
  it("given a role, then it says whether and why, as the pipeline then decides", async () => {
    const org = await test.organization(admin.credentials, "explained");
    const vera = await test.member(org.credentials, "vera", "viewer");
    expect(await can("members:read", vera.credentials)).toEqual({ permission: "members:read", allowed: true, because: ["role viewer in explained holds members:read"] });
    expect(await can("api-keys:read", vera.credentials)).toMatchObject({ allowed: false, because: ["role viewer in explained does not hold it; admin, operator, auditor do"] });
    expect(await test.outcomeOf("api-keys.list", {}, vera.credentials)).toBe("permission-missing");
    expect((await test.call<{ can?: unknown }>("users.me", {}, vera.credentials)).can).toBeUndefined();
  });

  it("given a permission that there is not, then it is refused, whatever wildcard the caller holds, and near ones are named", async () => {
    await expect(can("images:bild", admin.credentials)).rejects.toThrow("/can: there is no permission images:bild. Did you mean images:build");
    await expect(can("nonsense", admin.credentials)).rejects.toThrow("https://qinfra.example/docs/roles lists them");
    expect(await can("organizations:delete", admin.credentials)).toMatchObject({ allowed: true }); // an operation asks for it, no role names it
  });

  it("given a read-only organization, then what changes is refused by the policy, and what reads is not", async () => {
    const org = await test.organization(admin.credentials, "explained-frozen");
    await test.call("organizations.set-settings", { id: org.id, version: 0, settings: { readOnly: true } }, org.credentials);
    expect(await can("members:write", org.credentials)).toMatchObject({ allowed: false, because: ["role admin in explained-frozen holds members:*", "the organization is read-only: nothing is changed in it"] });
    expect(await can("members:read", org.credentials)).toMatchObject({ allowed: true });
    expect(await can("organizations:write", org.credentials)).toMatchObject({ allowed: true });
  });

  it("given an agent's key, then scopes and policies that bind it are said", async () => {
    const made = await test.call<{ id: string; key: string }>("api-keys.create", { name: "agent", agent: true, scopes: ["members:write", "images:read"] }, admin.credentials);
    const key = { authorization: `Bearer ${made.key}` };
    expect(await can("images:build", key)).toMatchObject({ allowed: false, because: ["role admin in Platform holds images:*", `the scopes of ${made.id} leave it out`] });
    expect(await can("members:write", key)).toMatchObject({ allowed: false, because: expect.arrayContaining(["an AI actor never changes organizations, members or keys"]) });
    expect(await can("images:read", key)).toMatchObject({ allowed: true });
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { userUuid } from "./ids.ts";
import { organizationsUnderTest, type UnderTest } from "./testing/platform.ts";

let test: UnderTest;
let admin: Awaited<ReturnType<UnderTest["administrator"]>>;
beforeAll(async () => {
  test = await organizationsUnderTest();
  admin = await test.administrator();
});
afterAll(() => test.close());

interface Account { id: string; name: string; role: string; disabled: boolean }

/** An organization with an administrator of its own and a service account. */
async function world(slug: string, role = "operator") {
  const org = await test.organization(admin.credentials, slug);
  const boss = await test.member(org.credentials, `boss-of-${slug}`, "admin");
  const account = await test.call<Account>("service-accounts.create", { name: "nightly builds", role }, boss.credentials);
  return { org, boss, account };
}

async function keyFor(credentials: { authorization: string }, input: Record<string, unknown>) {
  const made = await test.call<{ id: string; key: string }>("api-keys.create", { name: "a key", scopes: ["members:read"], ...input }, credentials);
  return { ...made, credentials: { authorization: `Bearer ${made.key}` } };
}

describe("a service account", () => {
  it("given it is made, then it is listed with its role, is a member of kind service, and nobody can sign in as it", async () => {
    const { boss, account } = await world("listed");
    expect(account).toMatchObject({ name: "nightly builds", role: "operator", disabled: false });
    expect(await test.call("service-accounts.list", {}, boss.credentials)).toEqual({ items: [account] });
    const { items } = await test.call<{ items: { user: string; name: string; kind: string }[] }>("members.list", {}, boss.credentials);
    const member = items.find((item) => item.user === account.id);
    expect(items.map((item) => item.kind).sort()).toEqual(["person", "person", "service"]);
    for (const name of [member?.name, account.name, account.id]) expect(await test.outcomeOf("sessions.create", { name, password: "the password of nobody" })).toBe("sign-in-failed");
    expect(await test.outcomeOf("members.add", { name: member?.name, role: "viewer" }, boss.credentials)).toBe("name-taken");
  });

  it("given a key of it, then the key acts as the account, in the account's role, and survives its maker", async () => {
    const { org, boss, account } = await world("survivor");
    const key = await keyFor(boss.credentials, { serviceAccount: account.id, scopes: ["members:read", "images:build"] });
    expect(await test.actorOf(key.credentials)).toMatchObject({ kind: "api-key", userId: userUuid(account.id), roles: ["operator"], permissions: ["members:read", "images:build"] });
    expect(await test.call("users.me", {}, key.credentials)).toMatchObject({ user: { id: account.id, displayName: "nightly builds" }, roles: ["operator"] });
    await test.call("members.set-role", { user: account.id, role: "auditor" }, boss.credentials);
    expect((await test.actorOf(key.credentials)).permissions).toEqual(["members:read"]);
    const own = await keyFor(boss.credentials, {});
    expect(await test.call("members.remove", { user: boss.user }, org.credentials)).toMatchObject({ revokedKeys: 1 });
    expect(await test.outcomeOf("members.list", {}, own.credentials)).toBe("unauthenticated");
    expect(await test.outcomeOf("members.list", {}, key.credentials)).toBe("ok");
  });

  it.each([["service-accounts.disable", "id"], ["members.remove", "user"]])("given it is ended by %s, then its keys are refused and no other is made", async (operation, field) => {
    const { boss, account } = await world(`ended-by-${field}`);
    const key = await keyFor(boss.credentials, { serviceAccount: account.id });
    expect(await test.outcomeOf(operation, { [field]: account.id }, boss.credentials)).toBe("ok");
    expect(await test.outcomeOf("members.list", {}, key.credentials)).toBe("unauthenticated");
    expect(await test.outcomeOf("api-keys.create", { name: "k", scopes: ["members:read"], serviceAccount: account.id }, boss.credentials)).toBe("service-account-not-found");
    const { items } = await test.call<{ items: { id: string; state: string; serviceAccount: string }[] }>("api-keys.list", {}, boss.credentials);
    expect(items).toMatchObject([{ id: key.id, state: "revoked", serviceAccount: account.id }]);
  });

  it("given it is disabled twice, then one event says so", async () => {
    const { boss, account } = await world("twice");
    for (const _ of [1, 2]) expect(await test.call("service-accounts.disable", { id: account.id }, boss.credentials)).toMatchObject({ disabled: true });
    expect(test.events.filter((event) => event.type === "service-accounts.disabled" && event.subject === account.id)).toHaveLength(1);
  });

  it("given it is an administrator, then it does not count as the one that an organization keeps", async () => {
    const org = await test.organization(admin.credentials, "one-person");
    await test.call("service-accounts.create", { name: "robot", role: "admin" }, org.credentials);
    const { items } = await test.call<{ items: { user: string; kind: string }[] }>("members.list", {}, org.credentials);
    expect(await test.outcomeOf("members.remove", { user: items.find((item) => item.kind === "person")?.user }, org.credentials)).toBe("last-administrator");
  });
});

describe("who may do what with it", () => {
  it("given neither members:write nor a role as wide, then neither account nor key is made", async () => {
    const { org, boss, account } = await world("narrow", "viewer");
    const olaf = await test.member(org.credentials, "olaf", "operator");
    expect(await test.outcomeOf("service-accounts.create", { name: "mine", role: "viewer" }, olaf.credentials)).toBe("permission-missing");
    expect(await test.outcomeOf("api-keys.create", { name: "k", scopes: ["images:read"], serviceAccount: account.id }, olaf.credentials)).toBe("permission-missing");
    const narrow = await keyFor(boss.credentials, { scopes: ["members:write", "members:read"] });
    expect(await test.outcomeOf("service-accounts.create", { name: "wide", role: "admin" }, narrow.credentials)).toBe("role-too-wide");
    expect(await test.outcomeOf("api-keys.create", { name: "k", scopes: ["images:build"], serviceAccount: account.id }, boss.credentials)).toBe("scope-not-held");
  });

  it("given a key of it, then its maker without members:write does not revoke it", async () => {
    const { org, account } = await world("demoted");
    const maker = await test.member(org.credentials, "maker", "admin");
    const key = await keyFor(maker.credentials, { serviceAccount: account.id });
    await test.call("members.set-role", { user: maker.user, role: "operator" }, org.credentials);
    expect(await test.outcomeOf("api-keys.revoke", { id: key.id }, maker.credentials)).toBe("api-key-of-another");
    expect(await test.outcomeOf("api-keys.revoke", { id: key.id }, org.credentials)).toBe("ok");
  });

  it("given a person or another organization's account in its place, then no key acts as them: nobody is impersonated", async () => {
    const { org, boss } = await world("mine-svc");
    const other = await world("theirs-svc");
    const pia = await test.member(org.credentials, "pia", "viewer");
    for (const serviceAccount of [pia.user, other.account.id, other.boss.user]) {
      expect(await test.outcomeOf("api-keys.create", { name: "k", scopes: ["images:read"], serviceAccount }, boss.credentials)).toBe("service-account-not-found");
      expect(await test.outcomeOf("service-accounts.disable", { id: serviceAccount }, boss.credentials)).toBe("service-account-not-found");
    }
  });
});

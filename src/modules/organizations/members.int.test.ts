import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { userUuid } from "./ids.ts";
import { rolePermissions } from "./roles.ts";
import { organizationsUnderTest, type UnderTest } from "./testing/platform.ts";

let test: UnderTest;
let admin: Awaited<ReturnType<UnderTest["administrator"]>>;
beforeAll(async () => {
  test = await organizationsUnderTest();
  admin = await test.administrator();
});
afterAll(() => test.close());

describe("organizations", () => {
  it("given the platform's administrator, then they make one and are its administrator", async () => {
    const acme = await test.organization(admin.credentials, "acme");
    expect(await test.call("organizations.get", { id: acme.id }, acme.credentials)).toMatchObject({ id: acme.id, slug: "acme", platform: false });
    expect(await test.call("users.me", {}, acme.credentials)).toMatchObject({ organization: { id: acme.id }, roles: ["admin"] });
    expect(await test.outcomeOf("organizations.create", { name: "Again", slug: "acme" }, admin.credentials)).toBe("slug-taken");
  });

  it("given an administrator of another organization, then they never use what is the platform's", async () => {
    const org = await test.organization(admin.credentials, "tenant");
    const tina = await test.member(org.credentials, "tina", "admin");
    expect(await test.outcomeOf("organizations.create", { name: "Mine", slug: "mine" }, tina.credentials)).toBe("permission-missing");
    expect(await test.outcomeOf("organizations.create", { name: "Mine", slug: "mine" }, org.credentials)).toBe("permission-missing");
  });

  it("given another organization's id, then there is none", async () => {
    const org = await test.organization(admin.credentials, "hidden");
    expect(await test.outcomeOf("organizations.get", { id: org.id }, admin.credentials)).toBe("organization-not-found");
  });
});

describe("members", () => {
  it("given a new name, then a user with a one-time password is made, and listed a page at a time", async () => {
    const org = await test.organization(admin.credentials, "paged");
    const added = await test.call<{ oneTimePassword: string; name: string }>("members.add", { name: "Grace", role: "auditor", displayName: "Grace Hopper", email: "grace@example.com" }, org.credentials);
    expect(added).toMatchObject({ name: "Grace", displayName: "Grace Hopper", role: "auditor", disabled: false });
    expect(await test.call("sessions.create", { name: "grace", password: added.oneTimePassword })).toMatchObject({ organization: org.id, mustChangePassword: true });
    const first = await test.call<{ items: { name: string }[]; next: string }>("members.list", { limit: 1 }, org.credentials);
    const second = await test.call<{ items: { name: string }[]; next?: string }>("members.list", { limit: 1, cursor: first.next }, org.credentials);
    expect([...first.items, ...second.items].map((item) => item.name)).toEqual(["admin", "Grace"]);
    expect(second.next).toBeUndefined();
  });

  it("given the name of somebody else's member, then it is taken; of one's own member, then it is added", async () => {
    const [one, two] = [await test.organization(admin.credentials, "one"), await test.organization(admin.credentials, "two")];
    const boss = await test.member(one.credentials, "boss-of-one", "admin");
    const stranger = await test.member(two.credentials, "member-of-two", "viewer");
    expect(await test.outcomeOf("members.add", { name: "MEMBER-of-two", role: "viewer" }, boss.credentials)).toBe("name-taken");
    expect(await test.call("members.add", { name: "member-of-two", role: "auditor" }, one.credentials)).toMatchObject({ user: stranger.user, role: "auditor" });
    expect(await test.outcomeOf("members.add", { name: "member-of-two", role: "auditor" }, one.credentials)).toBe("member-exists");
  });

  it("given an API key, then it adds nobody from where only its maker administers", async () => {
    const [one, two] = [await test.organization(admin.credentials, "key-one"), await test.organization(admin.credentials, "key-two")];
    await test.member(two.credentials, "member-of-key-two", "viewer");
    const { key } = await test.call<{ key: string }>("api-keys.create", { name: "provisioning", scopes: ["members:*", ...rolePermissions.viewer] }, one.credentials);
    const credentials = { authorization: `Bearer ${key}` };
    expect(await test.outcomeOf("members.add", { name: "member-of-key-two", role: "viewer" }, credentials)).toBe("name-taken");
    expect(await test.outcomeOf("members.add", { name: "new-by-key", role: "viewer" }, credentials)).toBe("ok");
    expect(await test.outcomeOf("members.add", { name: "new-by-key", role: "viewer" }, credentials)).toBe("member-exists");
  });

  it("given two who add the same new name at once, then one of them is told that it is taken", async () => {
    const org = await test.organization(admin.credentials, "race");
    const outcomes = await Promise.all([1, 2].map(() => test.outcomeOf("members.add", { name: "twin", role: "viewer" }, org.credentials)));
    // The later one finds the name taken, or the person a member already where the other had ended by then.
    expect(["name-taken ok", "member-exists ok"]).toContain(outcomes.toSorted((a, b) => Number(a === "ok") - Number(b === "ok")).join(" "));
  });

  it("given the last administrator, then they are neither removed nor given another role", async () => {
    const org = await test.organization(admin.credentials, "last");
    const { items } = await test.call<{ items: { user: string }[] }>("members.list", {}, org.credentials);
    const user = items[0]?.user;
    expect(await test.outcomeOf("members.remove", { user }, org.credentials)).toBe("last-administrator");
    expect(await test.outcomeOf("members.set-role", { user, role: "viewer" }, org.credentials)).toBe("last-administrator");
    expect(await test.outcomeOf("members.set-role", { user, role: "admin" }, org.credentials)).toBe("ok");
  });

  it.each([["members.remove", {}], ["members.set-role", { role: "viewer" }]])("given two administrators who end each other at once by %s, then one stays", async (id, more) => {
    const org = await test.organization(admin.credentials, `duel-${id.split(".")[1]}`);
    const ann = await test.member(org.credentials, `ann-${id}`, "admin");
    const { items } = await test.call<{ items: { user: string; name: string }[] }>("members.list", {}, org.credentials);
    const root = items.find((item) => item.name === "admin")?.user;
    const outcomes = await Promise.all([
      test.outcomeOf(id, { user: root, ...more }, ann.credentials),
      test.outcomeOf(id, { user: ann.user, ...more }, org.credentials),
    ]);
    expect(outcomes.filter((outcome) => outcome === "ok")).toHaveLength(1);
    const superuser = await test.connect("superuser");
    const { rows } = await superuser.query("select count(*)::int as admins from organizations.memberships m join organizations.organizations o on o.id = m.org_id where o.slug = $1 and role = 'admin'", [`duel-${id.split(".")[1]}`]);
    expect(rows).toEqual([{ admins: 1 }]);
    await superuser.end();
  });

  it("given a member is removed, then sessions and keys end at once and do not come back with a new membership", async () => {
    const org = await test.organization(admin.credentials, "removal");
    const max = await test.member(org.credentials, "max", "operator");
    const made = await test.call<{ key: string }>("api-keys.create", { name: "of max", scopes: ["members:read"] }, max.credentials);
    const key = { authorization: `Bearer ${made.key}` };
    expect(await test.outcomeOf("members.list", {}, key)).toBe("ok");
    expect(await test.call("members.remove", { user: max.user }, org.credentials)).toMatchObject({ revokedKeys: 1, endedSessions: 1 });
    const refused = () => Promise.all([test.outcomeOf("users.me", {}, max.credentials), test.outcomeOf("members.list", {}, key)]);
    expect(await refused()).toEqual(["unauthenticated", "unauthenticated"]);
    expect(await test.outcomeOf("sessions.create", { name: "max", password: max.password })).toBe("sign-in-failed");
    const superuser = await test.connect("superuser");
    await superuser.query("insert into organizations.memberships select id, $1, 'operator', now() from organizations.organizations where slug = 'removal'", [userUuid(max.user)]);
    await superuser.end();
    expect(await refused()).toEqual(["unauthenticated", "unauthenticated"]);
  });

  it("given ids of another organization, then they are not found", async () => {
    const [mine, theirs] = [await test.organization(admin.credentials, "mine-only"), await test.organization(admin.credentials, "theirs-only")];
    const them = await test.member(theirs.credentials, "them", "operator");
    const key = await test.call<{ id: string }>("api-keys.create", { name: "theirs", scopes: ["images:read"] }, them.credentials);
    const me = await test.member(mine.credentials, "me", "admin");
    expect(await test.outcomeOf("members.remove", { user: them.user }, me.credentials)).toBe("member-not-found");
    expect(await test.outcomeOf("members.set-role", { user: them.user, role: "viewer" }, me.credentials)).toBe("member-not-found");
    expect(await test.outcomeOf("api-keys.revoke", { id: key.id }, me.credentials)).toBe("api-key-not-found");
    const listed = await test.call<{ items: unknown[] }>("api-keys.list", {}, me.credentials);
    expect(listed.items).toEqual([]);
  });

  it("given an agent's key, then it changes neither members nor keys", async () => {
    const made = await test.call<{ key: string }>("api-keys.create", { name: "agent", agent: true, scopes: ["members:write", "api-keys:write"] }, admin.credentials);
    const agent = { authorization: `Bearer ${made.key}` };
    expect(await test.outcomeOf("members.add", { name: "bot", role: "admin" }, agent)).toBe("policy-denied");
    expect(await test.outcomeOf("api-keys.create", { name: "more", scopes: ["members:write"] }, agent)).toBe("policy-denied");
  });

  it("given each change, then its event holds ids and enumerated values only", async () => {
    const free = /grace hopper|example\.com|grace@|correct|password of/i;
    expect(new Set(test.events.map((event) => event.type))).toEqual(new Set([
      "organizations.created", "members.added", "members.role-set", "members.removed", "users.password-set", "sessions.created", "api-keys.created", "access.refused",
    ]));
    expect(test.events.filter((event) => free.test(JSON.stringify(event.data)))).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { orgUuid, userUuid } from "./ids.ts";
import { organizationsUnderTest, type UnderTest } from "./testing/platform.ts";

let test: UnderTest;
let admin: Awaited<ReturnType<UnderTest["administrator"]>>;
beforeAll(async () => {
  test = await organizationsUnderTest();
  admin = await test.administrator();
});
afterAll(() => test.close());

type Organization = Awaited<ReturnType<UnderTest["organization"]>>;
const set = (org: Organization, version: number, settings: Record<string, unknown>) => test.outcomeOf("organizations.set-settings", { id: org.id, version, settings }, org.credentials);
const current = (org: Organization) => test.call("organizations.get-settings", { id: org.id }, org.credentials);

describe("settings", () => {
  it("given changes, then the newest hold at once, each version is kept, and events tell the version only", async () => {
    const org = await test.organization(admin.credentials, "history");
    expect(await current(org)).toEqual({ version: 0, settings: {} });
    expect(await set(org, 0, { readOnly: true })).toBe("ok");
    expect(await test.outcomeOf("members.add", { name: "too-late", role: "viewer" }, org.credentials)).toBe("policy-denied");
    expect(await set(org, 1, { requireApproval: ["images.delete"], secondFactor: { roles: ["auditor"] } })).toBe("ok");
    expect(await test.outcomeOf("members.add", { name: "in-time", role: "viewer" }, org.credentials)).toBe("ok");
    expect(await current(org)).toEqual({ version: 2, settings: { requireApproval: ["images.delete"], secondFactor: { roles: ["auditor"] } } });
    const first = await test.call<{ items: unknown[]; next: string }>("organizations.list-settings-history", { id: org.id, limit: 1 }, org.credentials);
    const second = await test.call<{ items: unknown[]; next?: string }>("organizations.list-settings-history", { id: org.id, limit: 1, cursor: first.next }, org.credentials);
    const { user } = await test.call<{ user: { id: string } }>("users.me", {}, admin.credentials);
    const changedAt = new Date(test.clock.now()).toISOString();
    expect([...first.items, ...second.items]).toEqual([
      { version: 2, settings: { requireApproval: ["images.delete"], secondFactor: { roles: ["auditor"] } }, changedBy: user.id, changedAt },
      { version: 1, settings: { readOnly: true }, changedBy: user.id, changedAt },
    ]);
    expect(second.next).toBeUndefined();
    expect(test.events.filter((event) => event.type === "organizations.settings-set").map((event) => event.data)).toEqual([{ version: 1 }, { version: 2 }]);
  });

  it("given `current`, then it is the organization that the caller works in", async () => {
    const org = await test.organization(admin.credentials, "by-no-id");
    const call = <Output>(id: string, input: object) => test.call<Output>(id, { id: "current", ...input }, org.credentials);
    expect(await call("organizations.set-settings", { version: 0, settings: { readOnly: false } })).toMatchObject({ version: 1 });
    expect(await call("organizations.get-settings", {})).toEqual({ version: 1, settings: { readOnly: false } });
    expect((await call<{ items: unknown[] }>("organizations.list-settings-history", {})).items).toHaveLength(1);
    expect(await call("organizations.update", { name: "By no id" })).toMatchObject({ id: org.id, name: "By no id" });
    expect(await call("organizations.get", {})).toMatchObject({ id: org.id, name: "By no id" });
    expect(test.events.filter(({ orgId }) => orgId === orgUuid(org.id)).map(({ type, subject }) => ({ type, subject }))).toEqual(expect.arrayContaining([
      { type: "organizations.settings-set", subject: org.id }, { type: "organizations.renamed", subject: org.id },
    ]));
  });

  it("given two who change the same version, at once or one after the other, then one is told to read again", async () => {
    const org = await test.organization(admin.credentials, "set-race");
    const outcomes = await Promise.all([set(org, 0, { readOnly: false }), set(org, 0, { requireApproval: [] })]);
    expect(outcomes.sort()).toEqual(["ok", "settings-changed"]);
    expect([await set(org, 0, {}), await set(org, 2, {}), await set(org, 1, {})]).toEqual(["settings-changed", "settings-changed", "ok"]);
    const read = `\`qinfra organizations get-settings ${org.id}\`, or GET /api/v1/organizations/${org.id}/settings`;
    await expect(test.call("organizations.set-settings", { id: org.id, version: 0, settings: {} }, org.credentials)).rejects.toThrow(read);
  });

  it.each([
    [{ readonly: true }], [{ readOnly: "yes" }], [{ requireApproval: "images.delete" }], [{ requireApproval: ["Images"] }], [{ secondFactor: { roles: ["owner"] } }], [{ secondFactor: { role: ["admin"] } }],
    [{ requireApproval: ["organizations.set-settings"] }], [{ requireApproval: ["sessions.create"] }], [{ requireApproval: ["api-keys.create"] }],
  ])("given %j, then it is refused and nothing is set", async (settings) => {
    const org = await test.organization(admin.credentials, `bad-${test.ids.uuid().slice(24)}`);
    expect(await set(org, 0, settings)).toBe("invalid-input");
    expect(await current(org)).toEqual({ version: 0, settings: {} });
  });

  it("given another organization's id, then there is none", async () => {
    const [mine, theirs] = [await test.organization(admin.credentials, "my-set"), await test.organization(admin.credentials, "their-set")];
    const foreign = { id: theirs.id, credentials: mine.credentials };
    expect(await set(foreign, 0, {})).toBe("organization-not-found");
    for (const id of ["organizations.get-settings", "organizations.list-settings-history"]) expect(await test.outcomeOf(id, { id: theirs.id }, mine.credentials)).toBe("organization-not-found");
    expect(await test.outcomeOf("organizations.update", { id: theirs.id, name: "Mine" }, mine.credentials)).toBe("organization-not-found");
  });
});

describe("the organization itself", () => {
  it("given a new name, then it has it, and the event does not hold it", async () => {
    const org = await test.organization(admin.credentials, "renamed");
    for (const _ of [1, 2]) expect(await test.call("organizations.update", { id: org.id, name: "Fabrikam" }, org.credentials)).toMatchObject({ name: "Fabrikam", slug: "renamed" });
    expect(await test.call("organizations.get", { id: org.id }, org.credentials)).toMatchObject({ name: "Fabrikam" });
    expect(test.events.filter((event) => event.orgId === orgUuid(org.id) && event.type === "organizations.renamed").map((event) => event.data)).toEqual([{}]);
  });

  it("given it is handed over, then the other is administrator and the one before operator, in one step", async () => {
    const org = await test.organization(admin.credentials, "handed-over");
    const nina = await test.member(org.credentials, "nina", "viewer");
    const { user } = await test.call<{ user: { id: string } }>("users.me", {}, admin.credentials);
    expect(await test.call("organizations.transfer", { id: org.id, user: nina.user }, org.credentials)).toEqual({ organization: org.id, administrator: nina.user, operator: user.id });
    expect(await test.call("users.me", {}, nina.credentials)).toMatchObject({ roles: ["admin"] });
    expect(await test.call("users.me", {}, org.credentials)).toMatchObject({ roles: ["operator"] });
    expect(test.events.slice(-3).map((event) => [event.type, event.data])).toEqual([
      ["members.role-set", { organization: org.id, from: "viewer", to: "admin" }], ["members.role-set", { organization: org.id, from: "admin", to: "operator" }],
      ["organizations.transferred", { from: user.id, to: nina.user }],
    ]);
  });

  it("given an administrator with a second factor, then they confirm it first", async () => {
    const org = await test.organization(admin.credentials, "confirmed");
    const boss = await test.member(org.credentials, "boss-with-totp", "admin");
    const nora = await test.member(org.credentials, "nora", "viewer");
    const superuser = await test.connect("superuser");
    await superuser.query("insert into organizations.totp (user_id, secret, confirmed_at, created_at) values ($1, 'sealed', now(), now())", [userUuid(boss.user)]);
    const transfer = () => test.outcomeOf("organizations.transfer", { id: org.id, user: nora.user }, boss.credentials);
    expect(await transfer()).toBe("confirmation-needed");
    await superuser.query("update organizations.sessions set second_factor = true, confirmed_at = $2 where user_id = $1", [userUuid(boss.user), new Date(test.clock.now())]);
    expect(await transfer()).toBe("ok");
    await superuser.end();
  });

  it("given nobody who could administer it, or an API key, then it stays", async () => {
    const [org, other] = [await test.organization(admin.credentials, "stays-mine"), await test.organization(admin.credentials, "not-here")];
    const stranger = await test.member(other.credentials, "stranger", "viewer");
    const account = await test.call<{ id: string }>("service-accounts.create", { name: "robot", role: "viewer" }, org.credentials);
    const { user } = await test.call<{ user: { id: string } }>("users.me", {}, admin.credentials);
    for (const id of [stranger.user, account.id, user.id]) expect(await test.outcomeOf("organizations.transfer", { id: org.id, user: id }, org.credentials)).toBe("member-not-found");
    const key = await test.call<{ key: string }>("api-keys.create", { name: "k", scopes: ["organizations:write"] }, org.credentials);
    expect(await test.outcomeOf("organizations.transfer", { id: org.id, user: stranger.user }, { authorization: `Bearer ${key.key}` })).toBe("person-needed");
  });
});

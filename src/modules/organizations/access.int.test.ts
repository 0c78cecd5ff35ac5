import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toTypeId } from "../../platform/ids.ts";
import type { Credentials } from "../../platform/operation/services.ts";
import { orgUuid, userUuid } from "./ids.ts";
import { organizationsUnderTest, type UnderTest } from "./testing/platform.ts";

let test: UnderTest;
let admin: Awaited<ReturnType<UnderTest["administrator"]>>;
beforeAll(async () => {
  test = await organizationsUnderTest();
  admin = await test.administrator();
});
afterAll(() => test.close());

interface Way { kind: string; name?: string; user?: string; apiKey?: string; role: string; permissions: string[]; disabled: boolean }

async function review(credentials: Credentials): Promise<Way[]> {
  return (await test.call<{ items: Way[] }>("access.review", { limit: 1000 }, credentials)).items;
}

async function superuser(text: string, values: unknown[]): Promise<void> {
  const client = await test.connect("superuser");
  await client.query(text, values).finally(() => client.end());
}

/** An organization with one of everything, and another that must stay unseen. */
async function world(slug: string) {
  const org = await test.organization(admin.credentials, slug);
  const boss = await test.member(org.credentials, `boss-${slug}`, "admin");
  const account = await test.call<{ id: string }>("service-accounts.create", { name: "nightly builds", role: "operator" }, boss.credentials);
  const key = await test.call<{ id: string; expiresAt: string }>("api-keys.create", { name: "of boss", scopes: ["images:read", "members:*"], agent: true }, boss.credentials);
  const robot = await test.call<{ id: string }>("api-keys.create", { name: "of robot", scopes: ["images:build"], serviceAccount: account.id }, boss.credentials);
  const used = await test.call<{ link: string }>("invitations.create", { role: "viewer" }, boss.credentials);
  const joined = await test.call<{ user: string }>("invitations.sign-up", { token: used.link.split("/").at(-1), name: `ivy-${slug}`, displayName: "Ivy", password: "the password of ivy" });
  const open = await test.call<{ id: string; expiresAt: string }>("invitations.create", { role: "auditor", email: "eve@example.com" }, boss.credentials);
  return { org, boss, account, key, robot, joined, open };
}

describe("access.review", () => {
  it("given one of everything, then each way in is there once, with what it may do and how it came", async () => {
    const { org, boss, account, key, robot, joined, open } = await world("reviewed");
    await superuser("insert into organizations.user_identities (issuer, subject, user_id, created_at) values ('https://issuer.example', 'subject-of-ivy', $1, now())", [userUuid(joined.user)]);
    await superuser("update organizations.memberships set issuer = 'https://issuer.example', claimed_at = now() where org_id = $1 and user_id = $2", [orgUuid(org.id), userUuid(joined.user)]);
    await superuser("insert into organizations.totp (user_id, secret, confirmed_at, created_at) values ($1, 'sealed', now(), now())", [userUuid(boss.user)]);
    await superuser("update organizations.api_keys set last_used_at = $2 where prefix = (select prefix from organizations.api_keys where name = 'of boss' and org_id = $1)", [orgUuid(org.id), "2026-11-20T00:00:00Z"]);
    const ways = await review(boss.credentials);
    const of = (kind: string, name?: string) => ways.filter((way) => way.kind === kind && (name === undefined || way.name === name));
    expect(ways.map((way) => way.kind).sort()).toEqual(["api-key", "api-key", "identity", "invitation", "person", "person", "person", "service-account"]);
    expect(of("person", "boss-reviewed")).toMatchObject([{ user: boss.user, role: "admin", via: "added", secondFactor: true, disabled: false, permissions: expect.arrayContaining(["images:*", "members:*"]), lastUsedAt: expect.any(String) }]);
    expect(of("person", "Ivy")).toMatchObject([{ user: joined.user, role: "viewer", via: "issuer", issuer: "https://issuer.example", createdBy: boss.user, secondFactor: false }]);
    expect(of("identity")).toMatchObject([{ user: joined.user, issuer: "https://issuer.example", subject: "subject-of-ivy", role: "viewer" }]);
    expect(of("service-account")).toMatchObject([{ user: account.id, name: "nightly builds", role: "operator", via: "added" }]);
    expect(of("service-account")[0]).not.toHaveProperty("secondFactor");
    expect(of("api-key", "of boss")).toMatchObject([{ apiKey: key.id, user: boss.user, role: "admin", permissions: ["images:read", "members:*"], agent: true, createdBy: boss.user, expiresAt: key.expiresAt, lastUsedAt: "2026-11-20T00:00:00.000Z" }]);
    expect(of("api-key", "of robot")).toMatchObject([{ apiKey: robot.id, user: account.id, role: "operator", permissions: ["images:build"], agent: false, createdBy: boss.user }]);
    expect(of("invitation")).toMatchObject([{ invitation: open.id, name: "eve@example.com", role: "auditor", createdBy: boss.user, expiresAt: open.expiresAt }]);
  });

  it("given an application that a person lets act for them, then it stands beside the person, with what it may do here", async () => {
    const { boss, joined } = await world("with-application");
    const client = toTypeId("app", test.ids.uuid());
    const payloads = { Client: { client_id: client, client_name: "Dashboards" }, Grant: { accountId: joined.user, clientId: client, resources: { "https://qinfra.example": "images:read members:write" } } };
    for (const [model, payload] of Object.entries(payloads)) {
      await superuser("insert into organizations.oidc_payloads (model, id, payload, expires_at) values ($1, $2, $3, $4)", [model, Buffer.from(client), payload, new Date(test.clock.now() + 3_600_000)]);
    }
    const ways = await review(boss.credentials);
    expect(ways.filter((way) => "applications" in way)).toMatchObject([{
      user: joined.user, applications: [{ id: client, name: "Dashboards", permissions: ["images:read"], expiresAt: new Date(test.clock.now() + 3_600_000).toISOString() }],
    }]);
  });

  it("given a person who joined by an invitation, then it says so and who invited", async () => {
    const { boss, joined } = await world("by-invitation");
    expect((await review(boss.credentials)).find((way) => way.user === joined.user)).toMatchObject({ via: "invitation", createdBy: boss.user });
  });

  it("given what is over, then it is no way in; given who is disabled, then they may do nothing", async () => {
    const { boss, account, key, open, joined } = await world("closed-ways");
    await test.call("api-keys.revoke", { id: key.id }, boss.credentials);
    await test.call("invitations.revoke", { id: open.id }, boss.credentials);
    await test.call("service-accounts.disable", { id: account.id }, boss.credentials);
    await test.call("invitations.create", { role: "viewer", expiresInHours: 1 }, boss.credentials);
    await superuser("update organizations.users set disabled_at = now() where id = $1", [userUuid(joined.user)]);
    test.clock.advance(3_600_000);
    const ways = await review(boss.credentials);
    expect(ways.map((way) => [way.kind, way.disabled]).sort()).toEqual([["person", false], ["person", false], ["person", true], ["service-account", true]]);
    expect(ways.filter((way) => way.disabled).map((way) => way.permissions)).toEqual([[], []]);
  });

  it("given whoever invited may no longer, then the invitation gives nothing", async () => {
    const { org, boss, open } = await world("demoted-inviter");
    await test.call("members.set-role", { user: boss.user, role: "operator" }, org.credentials);
    expect((await review(org.credentials)).filter((way) => way.kind === "invitation")).toMatchObject([{ invitation: open.id, disabled: true, permissions: [] }]);
  });

  it("given pages of one, then together they are the whole, each once and in the same order", async () => {
    const { boss } = await world("paged-ways");
    const all = await review(boss.credentials);
    const paged: Way[] = [];
    let cursor: string | undefined;
    do {
      const page: { items: Way[]; next?: string } = await test.call("access.review", { limit: 1, ...(cursor !== undefined && { cursor }) }, boss.credentials);
      paged.push(...page.items);
      cursor = page.next;
    } while (cursor !== undefined);
    expect(paged).toEqual(all);
    expect(all).toHaveLength(7);
    expect(await test.outcomeOf("access.review", { cursor: Buffer.from("' or true --").toString("base64url") }, boss.credentials)).toBe("invalid-input");
  });

  it("given another organization, then nothing of it is seen, also of a person who is in both", async () => {
    const [mine, theirs] = [await world("mine-ways"), await world("theirs-ways")];
    await test.call("members.add", { name: "boss-mine-ways", role: "viewer" }, { ...admin.credentials, organization: theirs.org.id });
    const ways = await review(theirs.boss.credentials);
    expect(ways.filter((way) => way.user === mine.boss.user)).toMatchObject([{ kind: "person", role: "viewer" }]);
    const foreign = [mine.key.id, mine.robot.id, mine.account.id, mine.joined.user, mine.open.id];
    expect(foreign.filter((id) => JSON.stringify(ways).includes(id))).toEqual([]);
  });

  it.each([["auditor", "ok"], ["operator", "permission-missing"], ["viewer", "permission-missing"]])("given the role %s, then %s", async (role, outcome) => {
    const org = await test.organization(admin.credentials, `review-by-${role}`);
    const person = await test.member(org.credentials, `${role}-reviews`, role);
    expect(await test.outcomeOf("access.review", {}, person.credentials)).toBe(outcome);
  });

  it("given many members, then it is two statements, however many there are", async () => {
    const { boss } = await world("one-statement");
    let statements = 0;
    const lookup: typeof test.database.lookup = (work) => test.database.lookup((db) => work({ ...db, many: (query) => ((statements += 1), db.many(query)) }));
    const operation = test.registry.byId.get("access.review");
    const context = { db: undefined as never, orgId: "", clock: test.clock };
    const { orgId } = await test.actorOf(boss.credentials);
    const answer = await lookup((db) => (operation as NonNullable<typeof operation>).handle({ ...context, db, orgId } as never, {}, undefined));
    expect([statements, (answer as { items: unknown[] }).items.length]).toEqual([2, 7]);
  });
});

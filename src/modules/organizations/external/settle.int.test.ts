import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TokenClaims } from "../../../platform/identity/claims.ts";
import { createAuthentication, createSettleClaims } from "../index.ts";
import { userUuid } from "../ids.ts";
import { codeOf, organizationsUnderTest, type UnderTest } from "../testing/platform.ts";

const issuer = "https://issuer.example";
const roles = { issuer, map: { ops: "operator", root: "admin", look: "viewer" } as const, organization: "acme" };

// What a verified token says, as JSON; how it is verified is tested beside the verifier.
async function verifyJwt(token: string): Promise<TokenClaims | undefined> {
  return token.startsWith("ey") ? JSON.parse(Buffer.from(token.slice(2), "base64url").toString("utf8")) as TokenClaims : undefined;
}

let test: UnderTest;
let admin: Awaited<ReturnType<UnderTest["administrator"]>>;
let acme: Awaited<ReturnType<UnderTest["organization"]>>;
let statements = 0;
beforeAll(async () => {
  test = await organizationsUnderTest({ verifyJwt, issuers: [roles] });
  admin = await test.administrator();
  acme = await test.organization(admin.credentials, "acme");
});
afterAll(() => test.close());
beforeEach(() => void (test.events.length = 0));

let now = 1_000_000;
/** A token issued a minute after the one before. */
function bearer(subject: string, groups: string[], more: Partial<TokenClaims> = {}): { authorization: string } {
  const claims: TokenClaims = { issuer, subject, groups, service: false, issuedAt: (now += 60), ...more };
  return { authorization: `Bearer ey${Buffer.from(JSON.stringify(claims)).toString("base64url")}` };
}

/** Another server on the same database. */
function server() {
  const log = pino({ level: "silent" });
  const counted = { ...test.database, lookup: ((work) => ((statements += 1), test.database.lookup(work))) as typeof test.database.lookup, system: ((work) => ((statements += 1), test.database.system(work))) as typeof test.database.system };
  const settleClaims = createSettleClaims([roles], { database: counted, clock: test.clock, ids: test.ids, log, appender: test.appender });
  const { authenticate } = createAuthentication({ database: counted, clock: test.clock, log, verifyJwt, settleClaims });
  return (credentials: { authorization: string }) => authenticate(credentials, { door: "http", address: "192.0.2.1" });
}

const changes = () => test.events.map(({ type, data, origin }) => ({ type, by: origin.actor.kind, ...data }));
const members = async () => (await test.call<{ items: { name: string; role: string }[] }>("members.list", {}, acme.credentials)).items.map(({ name, role }) => `${name} ${role}`).sort();

async function row(text: string, ...values: unknown[]): Promise<unknown> {
  const superuser = await test.connect("superuser");
  const { rows } = await superuser.query(text, values);
  await superuser.end();
  return rows[0];
}

describe("a token of an issuer whose groups give roles", () => {
  it("given somebody new, then they are a member in the widest role, with what the token says of them", async () => {
    const actor = await test.actorOf(bearer("s-ada", ["look", "ops", "other"], { username: "ada", displayName: "Ada Lovelace", email: "ada@example.org" }));
    expect(actor).toMatchObject({ kind: "user", roles: ["operator"], platform: false });
    expect(await row("select name, display_name, email, kind from organizations.users where id = $1", actor.userId)).toEqual({ name: "ada", display_name: "Ada Lovelace", email: "ada@example.org", kind: "person" });
    expect(changes()).toEqual([{ type: "members.added", by: "system", organization: acme.id, issuer, role: "operator", created: true }]);
    expect(JSON.stringify(test.events.map(({ data }) => data))).not.toMatch(/Ada|s-ada/);
    expect(await test.outcomeOf("sessions.create", { name: "ada", password: "any password at all" })).toBe("sign-in-failed");
  });

  it("given a newer one with other groups, then the next request goes by them, and an older one changes nothing back", async () => {
    const first = bearer("s-bob", ["ops"], { username: "bob" });
    const second = bearer("s-bob", ["root"]);
    const third = bearer("s-bob", ["look"]);
    expect((await test.actorOf(first)).roles).toEqual(["operator"]);
    expect((await test.actorOf(second)).roles).toEqual(["admin"]);
    expect((await test.actorOf(third)).roles).toEqual(["viewer"]);
    for (const older of [first, second]) expect((await server()(older)).roles).toEqual(["viewer"]);
    expect(changes().map(({ type, ...data }) => [type, "from" in data ? data["from"] : undefined])).toEqual([["members.added", undefined], ["members.role-set", "operator"], ["members.role-set", "admin"]]);
  });

  it("given a newer one without a role, then the membership ends with its keys and sessions, also that of the only administrator", async () => {
    const alone = await test.organization(admin.credentials, "alone");
    const settled = createSettleClaims([{ ...roles, organization: "alone" }], { database: test.database, clock: test.clock, ids: test.ids, log: pino({ level: "silent" }), appender: test.appender });
    const { authenticate } = createAuthentication({ database: test.database, clock: test.clock, log: pino({ level: "silent" }), verifyJwt, settleClaims: settled });
    const ask = (credentials: { authorization: string }) => authenticate(credentials, { door: "http", address: "192.0.2.1" });
    const with_ = bearer("s-cy", ["root"], { username: "cy" });
    const cy = await ask(with_);
    const key = await test.call<{ key: string }>("api-keys.create", { name: "of cy", scopes: ["images:read"] }, with_);
    await test.call("members.remove", { user: (await test.call<{ user: { id: string } }>("users.me", {}, alone.credentials)).user.id }, with_);
    expect(await ask({ authorization: `Bearer ${key.key}` })).toMatchObject({ userId: cy.userId });
    test.events.length = 0;

    await expect(ask(bearer("s-cy", ["other"]))).rejects.toMatchObject({ type: { code: "unauthenticated" } });
    expect(changes()).toEqual([{ type: "members.removed", by: "system", organization: alone.id, issuer, revokedKeys: 1, endedSessions: 0 }]);
    for (const credentials of [with_, { authorization: `Bearer ${key.key}` }]) await expect(ask(credentials)).rejects.toMatchObject({ type: { code: "unauthenticated" } });
    expect((await ask(bearer("s-cy", ["look"]))).roles).toEqual(["viewer"]);
    await expect(ask({ authorization: `Bearer ${key.key}` })).rejects.toMatchObject({ type: { code: "unauthenticated" } });
  });

  it("given a membership made by hand, then claims neither change nor end it", async () => {
    const dee = await test.member(acme.credentials, "dee", "viewer");
    await row("insert into organizations.user_identities (issuer, subject, user_id, created_at) values ($1, 's-dee', $2, now())", issuer, userUuid(dee.user));
    test.events.length = 0;
    for (const groups of [["root"], [], ["ops"]]) expect((await test.actorOf(bearer("s-dee", groups))).roles).toEqual(["viewer"]);
    expect(test.events).toEqual([]);
  });

  it("given a name that somebody has, then the new user gets another, and is nobody's double", async () => {
    const actor = await test.actorOf(bearer("s-admin", ["look"], { username: "Admin" }));
    expect(await row("select name from organizations.users where id = $1", actor.userId)).toEqual({ name: expect.stringMatching(/^Admin-[0-9a-z]{8}$/) });
    expect(actor).toMatchObject({ roles: ["viewer"], platform: false });
  });

  it("given a program that acts for itself, then its user is a service account", async () => {
    const actor = await test.actorOf(bearer("s-ci", ["look"], { username: "service-account-ci", service: true }));
    expect(await row("select name, kind from organizations.users where id = $1", actor.userId)).toEqual({ name: "service-account-ci", kind: "service" });
  });

  it("given a program that acts for itself, then it does what its role may, and nothing that is for people", async () => {
    const ci = bearer("s-robot", ["root"], { username: "service-account-robot", service: true });
    expect(await test.actorOf(ci)).toMatchObject({ kind: "service", roles: ["admin"], secondFactor: false, ai: false });
    expect(await test.outcomeOf("members.list", {}, ci)).toBe("ok");
    expect((await test.call<{ user: { name: string } }>("users.me", {}, ci)).user.name).toBe("service-account-robot");
    const forPeople: [string, object][] = [
      ["api-keys.create", { name: "k", scopes: ["images:read"] }], ["sessions.list", {}], ["sessions.delete", { id: "current" }], ["second-factors.list", {}], ["second-factors.add-totp", {}],
      ["second-factors.begin-passkey", {}], ["sessions.confirm", { code: "123456" }], ["users.set-password", { currentPassword: "a password of it", newPassword: "another password" }], ["members.leave", { id: acme.id }],
    ];
    const outcomes = await Promise.all(forPeople.map(async ([id, input]) => [id, await test.outcomeOf(id, input, ci)]));
    expect(outcomes).toEqual(forPeople.map(([id]) => [id, "person-needed"]));
  });

  it("given a program whose user is known, then a token that does not say so is no person's either", async () => {
    await test.actorOf(bearer("s-quiet", ["look"], { service: true }));
    expect(await test.actorOf(bearer("s-quiet", ["look"]))).toMatchObject({ kind: "service" });
  });

  it("given a later token that says more of the person, then what was missing is filled in, and nothing is replaced", async () => {
    const { userId } = await test.actorOf(bearer("s-eve", ["look"], { username: "eve" }));
    await test.actorOf(bearer("s-eve", ["look"], { displayName: "Eve", email: "eve@example.org" }));
    await test.actorOf(bearer("s-eve", ["look"], { displayName: "Mallory", email: "mallory@example.org" }));
    expect(await row("select display_name, email from organizations.users where id = $1", userId)).toEqual({ display_name: "Eve", email: "eve@example.org" });
  });

  it.each<[string, { authorization: string }]>([
    ["no group that gives a role", bearer("s-nobody", ["other"])],
    ["no groups", bearer("s-nobody", [])],
    ["no time", bearer("s-nobody", ["root"], { issuedAt: undefined as never })],
    ["another issuer", bearer("s-nobody", ["root"], { issuer: "https://other.example" })],
  ])("given somebody new with %s, then it is 401 as for anybody, and nobody is made", async (_what, credentials) => {
    await expect(test.actorOf(credentials)).rejects.toMatchObject({ type: { code: "unauthenticated" }, data: undefined });
    expect(await row("select count(*)::int as n from organizations.user_identities where subject = 's-nobody'")).toEqual({ n: 0 });
  });

  it.each([
    ["is disabled", "update organizations.users set disabled_at = now() where id = $1"],
    ["is erased", "update organizations.users set erased_at = now() where id = $1"],
  ])("given a user who %s, then no token brings them back", async (what, change) => {
    const { userId } = await test.actorOf(bearer(what, ["look"]));
    await row(change, userId);
    test.events.length = 0;
    if (what === "is disabled") await expect(test.actorOf(bearer(what, ["root"]))).rejects.toMatchObject({ type: { code: "unauthenticated" } });
    else await test.actorOf(bearer(what, ["root"])).catch(codeOf);
    expect(await row("select role from organizations.memberships where user_id = $1", userId)).toEqual({ role: "viewer" });
    expect(test.events).toEqual([]);
  });
});

describe("many at once", () => {
  it("given two servers that hear of somebody new at once, then there is one user and one event", async () => {
    const [a, b] = [server(), server()];
    const credentials = bearer("s-both", ["ops"], { username: "both" });
    const actors = await Promise.all([a, b, a, b, a, b].map((ask) => ask(credentials)));
    expect(new Set(actors.map(({ userId }) => userId)).size).toBe(1);
    expect(changes()).toEqual([expect.objectContaining({ type: "members.added", created: true })]);
    expect((await members()).filter((name) => name.startsWith("both"))).toEqual(["both operator"]);
  });

  it("given two servers and tokens old and new at once, then the newest counts", async () => {
    const tokens = [["ops"], ["root"], [], ["look"], ["root"], ["ops"]].map((groups) => bearer("s-race", groups, { username: "race" }));
    const servers = [server(), server(), server()];
    await Promise.allSettled(tokens.toReversed().flatMap((token) => servers.map((ask) => ask(token))));
    expect((await members()).filter((name) => name.startsWith("race"))).toEqual(["race operator"]);
  });

  it("given a token that was heard, then each request is one statement", async () => {
    const ask = server();
    const credentials = bearer("s-hot", ["look"]);
    await ask(credentials);
    statements = 0;
    for (let n = 0; n < 5; n++) await ask(credentials);
    expect(statements).toBe(5);
  });

  it("given the database fails while a token is settled, then the next request settles it", async () => {
    let broken = true;
    const lookup: typeof test.database.lookup = (work) => (broken ? Promise.reject(new Error("no database")) : test.database.lookup(work));
    const settleClaims = createSettleClaims([roles], { database: { ...test.database, lookup }, clock: test.clock, ids: test.ids, log: pino({ level: "silent" }), appender: test.appender });
    const claims: TokenClaims = { issuer, subject: "s-later", groups: ["look"], service: false, issuedAt: (now += 60) };
    await expect(settleClaims(claims)).rejects.toThrow("no database");
    broken = false;
    await settleClaims(claims);
    expect(changes()).toHaveLength(1);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pino } from "pino";
import type { VerifyJwt } from "../../platform/identity/jwt.ts";
import { createAuthentication } from "./index.ts";
import { keyUuid, userUuid } from "./ids.ts";
import { organizationsUnderTest, type UnderTest } from "./testing/platform.ts";

// What a verified token says; how it is verified is tested beside the verifier.
const verifyJwt: VerifyJwt = async (token) => (token.startsWith("good.") ? { issuer: "https://issuer.example", subject: token.slice(5), service: false, ...(token.endsWith("-twice") && { secondFactor: true }) } : undefined);

let test: UnderTest;
let admin: Awaited<ReturnType<UnderTest["administrator"]>>;
beforeAll(async () => {
  test = await organizationsUnderTest({ verifyJwt });
  admin = await test.administrator();
});
afterAll(() => test.close());

interface Key { id: string; key: string; prefix: string; expiresAt: string }

async function keyOf(credentials: { authorization: string; organization?: string }, input: Record<string, unknown>) {
  const made = await test.call<Key>("api-keys.create", { name: "a key", ...input }, credentials);
  return { ...made, credentials: { authorization: `Bearer ${made.key}` } };
}

describe("an API key", () => {
  it("given its scopes, then it does what both they and its maker's role allow", async () => {
    const olga = await test.member(admin.credentials, "olga", "operator");
    const key = await keyOf(olga.credentials, { scopes: ["images:read", "assets:write"] });
    expect(await test.actorOf(key.credentials)).toMatchObject({ kind: "api-key", keyId: keyUuid(key.id), userId: userUuid(olga.user), roles: ["operator"], permissions: ["images:read", "assets:write"], ai: false, platform: true, mustChangePassword: false });
    expect(await test.outcomeOf("members.list", {}, key.credentials)).toBe("permission-missing");
    await test.call("members.set-role", { user: olga.user, role: "auditor" }, admin.credentials);
    expect((await test.actorOf(key.credentials)).permissions).toEqual(["images:read"]);
    const wide = await keyOf(admin.credentials, { scopes: ["images:*", "platform:feeds"] });
    expect((await test.actorOf(wide.credentials)).permissions).toEqual(["images:*", "platform:feeds"]);
  });

  it.each([
    ["an agent's", { agent: true }, true],
    ["a job's", {}, false],
  ])("given %s key, then it is an AI actor or not", async (_case, input, ai) => {
    const key = await keyOf(admin.credentials, { scopes: ["members:read"], ...input });
    expect((await test.actorOf(key.credentials)).ai).toBe(ai);
  });

  it("given a scope beyond the maker's role, or another key as maker, then it is not made", async () => {
    const omar = await test.member(admin.credentials, "omar", "operator");
    expect(await test.outcomeOf("api-keys.create", { name: "k", scopes: ["images:read", "images:*"] }, omar.credentials)).toBe("scope-not-held");
    expect(await test.outcomeOf("api-keys.create", { name: "k", scopes: ["platform:feeds"] }, omar.credentials)).toBe("scope-not-held");
    const key = await keyOf(omar.credentials, { scopes: ["api-keys:write"] });
    expect(await test.outcomeOf("api-keys.create", { name: "k", scopes: ["api-keys:write"] }, key.credentials)).toBe("person-needed");
    expect(await test.outcomeOf("users.set-password", { currentPassword: omar.password, newPassword: "another password" }, key.credentials)).toBe("person-needed");
  });

  it("given its expiry, then it lasts until then: 90 days, or what was asked for, at most a year", async () => {
    const inDays = (key: Key) => (Date.parse(key.expiresAt) - test.clock.now()) / 86_400_000;
    expect(inDays(await keyOf(admin.credentials, { scopes: ["members:read"] }))).toBe(90);
    expect(await test.outcomeOf("api-keys.create", { name: "k", scopes: ["members:read"], expiresInDays: 366 }, admin.credentials)).toBe("invalid-input");
    const { test: short, key } = await oneDayKey();
    expect(await short.outcomeOf("members.list", {}, key)).toBe("ok");
    short.clock.advance(86_400_000);
    expect(await short.outcomeOf("members.list", {}, key)).toBe("unauthenticated");
    await short.close();
  });

  it("given its use, then that is written at most once a minute", async () => {
    const key = await keyOf(admin.credentials, { scopes: ["members:read"] });
    const lastUsed = async () => {
      await test.authentication.settled();
      const { items } = await test.call<{ items: { id: string; lastUsedAt?: string }[] }>("api-keys.list", { limit: 1000 }, admin.credentials);
      return items.find((item) => item.id === key.id)?.lastUsedAt;
    };
    expect(await lastUsed()).toBeUndefined();
    await test.actorOf(key.credentials);
    const first = await lastUsed();
    expect(first).toBe(new Date(test.clock.now()).toISOString());
    test.clock.advance(59_000);
    await test.actorOf(key.credentials);
    expect(await lastUsed()).toBe(first);
    test.clock.advance(2_000);
    await test.actorOf(key.credentials);
    expect(await lastUsed()).toBe(new Date(test.clock.now()).toISOString());
  });

  it("given it is revoked on one server, then the other refuses it at once", async () => {
    const elsewhere = createAuthentication({ database: test.database, clock: test.clock, log: pino({ level: "silent" }), verifyJwt, settleClaims: async () => undefined });
    const key = await keyOf(admin.credentials, { scopes: ["members:read"] });
    const there = () => elsewhere.authenticate(key.credentials, { door: "http", address: "192.0.2.1" });
    expect((await there()).kind).toBe("api-key");
    expect(await test.call("api-keys.revoke", { id: key.id }, admin.credentials)).toMatchObject({ id: key.id, state: "revoked" });
    await expect(there()).rejects.toMatchObject({ type: { code: "unauthenticated" } });
  });

  it("given another member's key, then only who may write members revokes it", async () => {
    const orla = await test.member(admin.credentials, "orla", "operator");
    const own = await keyOf(orla.credentials, { scopes: ["images:read"] });
    const foreign = await keyOf(admin.credentials, { scopes: ["images:read"] });
    expect(await test.outcomeOf("api-keys.revoke", { id: foreign.id }, orla.credentials)).toBe("api-key-of-another");
    expect(await test.outcomeOf("api-keys.revoke", { id: own.id }, admin.credentials)).toBe("ok");
    expect(await test.outcomeOf("api-keys.revoke", { id: own.id }, orla.credentials)).toBe("ok");
    expect(test.events.filter((event) => event.type === "api-keys.revoked" && event.subject === own.id)).toHaveLength(1);
  });

  it("given what is stored, logged and appended, then the secret is in none of it", async () => {
    const key = await keyOf(admin.credentials, { scopes: ["images:read"] });
    const secret = key.key.split("_")[2] ?? "";
    expect(key.key).toMatch(/^qik_[0-9a-z]{12}_[0-9a-z]{40}$/);
    const superuser = await test.connect("superuser");
    const { rows } = await superuser.query("select k::text as row from organizations.api_keys k where prefix = $1", [key.prefix]);
    expect(rows).toHaveLength(1);
    expect(JSON.stringify([rows, test.events])).not.toContain(secret);
    await superuser.end();
  });

  async function oneDayKey() {
    const other = await organizationsUnderTest();
    const root = await other.administrator();
    const made = await other.call<Key>("api-keys.create", { name: "short", scopes: ["members:read"], expiresInDays: 1 }, root.credentials);
    return { test: other, key: { authorization: `Bearer ${made.key}` } };
  }
});

describe("a credential that nobody has", () => {
  const session = "a".repeat(52);
  it.each([
    ["no scheme", "Bearer"],
    ["another scheme", "Basic YWRtaW46YWRtaW4="],
    ["a key that was never made", `Bearer qik_${"a".repeat(12)}_${"a".repeat(40)}`],
    ["half a key", "Bearer qik_abc"],
    ["a session that was never made", `Bearer qis_${session}`],
    ["half a session", "Bearer qis_abc"],
    ["a token that is not accepted", "Bearer bad.token"],
    ["a subject without a user", "Bearer good.stranger"],
    ["a header with spaces inside", "Bearer a b"],
  ])("given %s, then it is 401 and nothing more", async (_case, authorization) => {
    await expect(test.actorOf({ authorization })).rejects.toMatchObject({
      type: { code: "unauthenticated" }, data: undefined, message: "The credential is not valid here, or no longer: sign in again, or use another API key.",
    });
  });

  it("given the right prefix with another secret, then it is refused", async () => {
    const key = await keyOf(admin.credentials, { scopes: ["images:read"] });
    const forged = `${key.key.slice(0, -1)}${key.key.endsWith("0") ? "1" : "0"}`;
    expect(await test.outcomeOf("users.me", {}, { authorization: `Bearer ${forged}` })).toBe("unauthenticated");
  });
});

describe("a session", () => {
  it("given the wrong door, then it is not a credential there", async () => {
    const cli = await test.signIn("admin", admin.password, "cli");
    const browser = await test.signIn("admin", admin.password, "browser");
    expect(await test.outcomeOf("users.me", {}, { authorization: `Bearer ${browser.token}` })).toBe("unauthenticated");
    expect(await test.outcomeOf("users.me", {}, { cookie: { session: cli.token, csrf: true } })).toBe("unauthenticated");
  });

  it("given a cookie without proof that our page sent it, then the request is refused", async () => {
    const { token } = await test.signIn("admin", admin.password, "browser");
    expect(await test.outcomeOf("users.me", {}, { cookie: { session: token, csrf: true } })).toBe("ok");
    expect(await test.outcomeOf("users.me", {}, { cookie: { session: token, csrf: false } })).toBe("csrf-missing");
  });

  it("given a cookie of a session that is over, then one may still sign in", async () => {
    const stale = { cookie: { session: `qis_${"z".repeat(52)}`, csrf: false } };
    expect(await test.outcomeOf("sessions.create", { name: "admin", password: admin.password }, stale)).toBe("ok");
  });

  it("given a member of several organizations, then the named one counts, and a foreign one never", async () => {
    const own = await test.organization(admin.credentials, "named");
    const other = await test.member(own.credentials, "nina", "viewer");
    expect(await test.actorOf(own.credentials)).toMatchObject({ platform: false, roles: ["admin"] });
    expect((await test.actorOf(own.credentials)).permissions).not.toContain("platform:*");
    expect(await test.outcomeOf("users.me", {}, { ...other.credentials, organization: test.platformOrg })).toBe("unauthenticated");
    expect(await test.outcomeOf("users.me", {}, { ...other.credentials, organization: "nonsense" })).toBe("unauthenticated");
    const me = await test.call<{ organizations: { slug: string }[] }>("users.me", {}, admin.credentials);
    expect(me.organizations.map((org) => org.slug)).toEqual(expect.arrayContaining(["platform", "named"]));
  });
});

describe("a verified token of an issuer", () => {
  it("given its subject, then roles come from the membership and end with it", async () => {
    const tess = await test.member(admin.credentials, "tess", "operator");
    const superuser = await test.connect("superuser");
    await superuser.query("insert into organizations.user_identities values ('https://issuer.example', 'sub-tess', $1, now())", [userUuid(tess.user)]);
    const token = { authorization: "Bearer good.sub-tess" };
    expect(await test.actorOf(token)).toMatchObject({ kind: "user", userId: userUuid(tess.user), roles: ["operator"], ai: false });
    await test.call("members.set-role", { user: tess.user, role: "auditor" }, admin.credentials);
    expect((await test.actorOf(token)).roles).toEqual(["auditor"]);
    await test.call("members.remove", { user: tess.user }, admin.credentials);
    expect(await test.outcomeOf("users.me", {}, token)).toBe("unauthenticated");
    await superuser.end();
  });

  it("given its claims tell of a second factor, then it counts as one, but confirms nothing", async () => {
    const uma = await test.member(admin.credentials, "uma", "operator");
    const superuser = await test.connect("superuser");
    for (const subject of ["sub-uma", "sub-uma-twice"]) await superuser.query("insert into organizations.user_identities values ('https://issuer.example', $1, $2, now())", [subject, userUuid(uma.user)]);
    await superuser.end();
    expect(await test.actorOf({ authorization: "Bearer good.sub-uma" })).toMatchObject({ secondFactor: false });
    const actor = await test.actorOf({ authorization: "Bearer good.sub-uma-twice" });
    expect({ secondFactor: actor.secondFactor, confirmedAt: actor.confirmedAt }).toEqual({ secondFactor: true, confirmedAt: undefined });
  });

  it("given many at once, then each gets its own answer", async () => {
    const people = await Promise.all(["p1", "p2", "p3", "p4"].map((name) => test.member(admin.credentials, name, "viewer")));
    const asked = [...people.map((person) => person.credentials), { authorization: "Bearer good.nobody" }, ...people.map((person) => person.credentials)];
    const answers = await Promise.allSettled(asked.map((credentials) => test.actorOf(credentials)));
    const users = answers.map((answer) => (answer.status === "fulfilled" ? answer.value.userId : "refused"));
    const ids = people.map((person) => userUuid(person.user));
    expect(users).toEqual([...ids, "refused", ...ids]);
  });
});

describe("the look-up", () => {
  it("given many requests of one moment, then one statement answers them, and a later request asks again", async () => {
    let statements = 0;
    const lookup: typeof test.database.system = (work) => ((statements += 1), test.database.system(work));
    const { authenticate } = createAuthentication({ database: { ...test.database, lookup }, clock: test.clock, log: pino({ level: "silent" }), verifyJwt, settleClaims: async () => undefined });
    const ask = () => authenticate(admin.credentials, { door: "http", address: "192.0.2.1" });
    const actors = await Promise.all(Array.from({ length: 50 }, ask));
    expect(statements).toBe(1);
    expect(new Set(actors.map((actor) => actor.userId)).size).toBe(1);
    await ask();
    expect(statements).toBe(2);
  });
});

describe("settings of an organization", () => {
  it("given they change, then the next request already goes by them", async () => {
    const org = await test.organization(admin.credentials, "strict");
    expect(await test.outcomeOf("members.add", { name: "late", role: "viewer" }, org.credentials)).toBe("ok");
    const superuser = await test.connect("superuser");
    await superuser.query(`update organizations.organizations set settings = '{"readOnly": true}' where slug = 'strict'`);
    expect(await test.outcomeOf("members.add", { name: "later", role: "viewer" }, org.credentials)).toBe("policy-denied");
    await superuser.end();
  });
});

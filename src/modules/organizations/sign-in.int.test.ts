import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pino } from "pino";
import { createAuthentication, ensureFirstAdministrator } from "./index.ts";
import { sessionTypeId } from "./ids.ts";
import { createSession } from "./operations/create-session.ts";
import { codeOf, openSecrets, organizationsUnderTest, type UnderTest } from "./testing/platform.ts";
import { earnestCost, setPasswordCost, type PasswordCost } from "../../platform/identity/passwords.ts";
import { testDatabase } from "../../platform/testing/database.ts";
import type { NewEvent } from "../../platform/events/types.ts";
import { createIds } from "../../platform/ids.ts";

// Here hashes cost what they do in earnest: it is about the time that they take.
let lowered: Readonly<PasswordCost>;
beforeAll(() => void (lowered = setPasswordCost(earnestCost)));
afterAll(() => void setPasswordCost(lowered));

describe("the first administrator", () => {
  it("given two servers that start at once, then there is one platform organization and both show its password", async () => {
    const { database, connect, close } = await testDatabase();
    const clock = { now: () => Date.UTC(2026, 10, 21) };
    const appended: string[] = [];
    const ports = { clock, ids: createIds(clock), secrets: openSecrets, appender: () => ({ append: async (event: NewEvent) => (appended.push(event.type.type), "id") }) };
    const [a, b] = await Promise.all([ensureFirstAdministrator(database, ports), ensureFirstAdministrator(database, ports)]);
    expect(a).toEqual(b);
    expect(a.unspent).toEqual({ name: "admin", oneTimePassword: expect.stringMatching(/^([0-9a-hjkmnp-tv-z]{5}-){3}[0-9a-hjkmnp-tv-z]{5}$/) });
    expect(await ensureFirstAdministrator(database, ports)).toEqual(a);
    expect(appended).toEqual(["organizations.created", "members.added"]);
    const superuser = await connect("superuser");
    const { rows } = await superuser.query("select (select count(*)::int from organizations.organizations) as orgs, (select count(*)::int from organizations.users) as users");
    expect(rows).toEqual([{ orgs: 1, users: 1 }]);
    await superuser.end();
    await close();
  });
});

describe("a one-time password", () => {
  let test: UnderTest;
  beforeAll(async () => void (test = await organizationsUnderTest()));
  afterAll(() => test.close());

  it("given it is used, then it can do nothing but set a new one, and then it is spent", async () => {
    const once = test.first.unspent?.oneTimePassword ?? "";
    const credentials = await test.signIn("ADMIN", once);
    for (const id of ["users.me", "sessions.list", "members.list"]) expect(await test.outcomeOf(id, {}, credentials)).toBe("password-change-required");
    expect(await test.outcomeOf("users.set-password", { currentPassword: once, newPassword: "short" }, credentials)).toBe("invalid-input");
    expect(await test.outcomeOf("users.set-password", { currentPassword: once, newPassword: once }, credentials)).toBe("password-unchanged");
    expect(await test.outcomeOf("users.set-password", { currentPassword: "another one", newPassword: "a password of mine" }, credentials)).toBe("wrong-password");
    const ports = { clock: test.clock, ids: test.ids, secrets: openSecrets, appender: test.appender };
    expect((await ensureFirstAdministrator(test.database, ports)).unspent?.oneTimePassword).toBe(once);

    const second = await test.signIn("admin", once);
    expect(await test.call("users.set-password", { currentPassword: once, newPassword: "a password of mine" }, credentials)).toMatchObject({ endedSessions: 1 });
    expect(await test.outcomeOf("users.me", {}, credentials)).toBe("ok");
    expect(await test.outcomeOf("users.me", {}, second)).toBe("unauthenticated");
    expect(await test.outcomeOf("sessions.create", { name: "admin", password: once })).toBe("sign-in-failed");
    expect((await ensureFirstAdministrator(test.database, ports)).unspent).toBeUndefined();
    const superuser = await test.connect("superuser");
    const { rows } = await superuser.query("select one_time, sealed, hash ~ '^\\$argon2id\\$v=19\\$' as phc from organizations.password_credentials");
    expect(rows).toEqual([{ one_time: false, sealed: null, phc: true }]);
    await superuser.end();
  });

  it("given somebody signs out with it, then that session is over, and no other of theirs", async () => {
    const admin = await test.signIn("admin", "a password of mine");
    const made = await test.call<{ oneTimePassword: string }>("members.add", { name: "sid", role: "viewer" }, admin);
    const [one, two] = [await test.signIn("sid", made.oneTimePassword), await test.signIn("sid", made.oneTimePassword)];
    const other = sessionTypeId((await test.actorOf(two)).sessionId ?? "");
    expect(await test.outcomeOf("sessions.delete", { id: other }, one)).toBe("password-change-required");
    expect((await test.actorOf(two)).mustChangePassword).toBe(true);
    expect(await test.outcomeOf("sessions.delete", { id: "current" }, one)).toBe("ok");
    expect(await test.outcomeOf("sessions.delete", { id: "current" }, one)).toBe("unauthenticated");
    expect(await test.outcomeOf("sessions.delete", { id: other }, two)).toBe("ok");
  });

  it("given two requests that set a password at once, then one of them wins", async () => {
    const credentials = await test.signIn("admin", "a password of mine");
    const outcomes = await Promise.all(["first new password", "second new password"].map((newPassword) => test.outcomeOf("users.set-password", { currentPassword: "a password of mine", newPassword }, credentials)));
    expect(outcomes.sort()).toEqual(["conflict", "ok"]);
  });
});

describe("signing in", () => {
  let test: UnderTest;
  let admin: Awaited<ReturnType<UnderTest["administrator"]>>;
  beforeAll(async () => {
    test = await organizationsUnderTest();
    admin = await test.administrator();
  });
  afterAll(() => test.close());

  it("given a session, then its event is in the log of the user's organization", async () => {
    const other = await test.organization(admin.credentials, "elsewhere");
    const ada = await test.member(other.credentials, "ada", "viewer");
    test.events.length = 0;
    await test.signIn("ada", ada.password);
    expect(test.events.map(({ type, orgId, data }) => ({ type, orgId, data }))).toEqual([
      { type: "sessions.created", orgId: (await test.actorOf(ada.credentials)).orgId, data: { user: ada.user, door: "cli", mustChangePassword: false, secondFactor: false } },
    ]);
  });

  it("given passwords are off, then none is taken, right or wrong", async () => {
    const { settings } = test.services;
    test.services.settings = { ...settings, signIn: { issuers: [], passwords: false } };
    for (const password of [admin.password, "not the password"]) expect(await test.outcomeOf("sessions.create", { name: "admin", password })).toBe("passwords-off");
    expect(await test.call("sessions.sign-in-options")).toEqual({ issuers: [], passwords: false });
    test.services.settings = settings;
    expect(await test.outcomeOf("sessions.create", { name: "admin", password: admin.password })).toBe("ok");
  });

  it("given an unknown name, then it takes as long as a wrong password and answers the same", async () => {
    const times: Record<string, number[]> = { admin: [], nobody: [] };
    const answers = new Set<string>();
    for (let round = 0; round < 5; round++) {
      for (const name of ["admin", "nobody"]) {
        const started = performance.now();
        const error = await test.call("sessions.create", { name, password: "not the password" }).catch((reason: Error) => reason);
        times[name]?.push(performance.now() - started);
        answers.add(JSON.stringify([error.name, error.message]));
      }
    }
    const median = (name: string) => (times[name] ?? []).sort((a, b) => a - b)[2] ?? 0;
    expect(answers.size).toBe(1);
    expect(median("nobody")).toBeGreaterThan(median("admin") / 2);
    expect(median("nobody")).toBeGreaterThan(10); // an argon2id hash was worked out
  });

  it("given too many failures, then that account is refused from that address, and its owner is not from another", async () => {
    const attempt = (address: string, password: string, name = "admin") =>
      createSession.prepare?.({ clock: test.clock, address, transaction: test.database.system, settings: test.services.settings } as never, { name, password, door: "cli" }).then(() => "ok", codeOf);
    const failures = [];
    for (let n = 0; n < 10; n++) failures.push(await attempt("198.51.100.7", "not the password"));
    expect(new Set(failures)).toEqual(new Set(["sign-in-failed"]));
    expect(await attempt("198.51.100.7", admin.password, "ADMIN")).toBe("too-many-requests");
    expect(await attempt("198.51.100.7", "not the password", "somebody-else")).toBe("sign-in-failed");
    expect(await attempt("198.51.100.8", admin.password)).toBe("ok");
    test.clock.advance(15 * 60_000);
    expect(await attempt("198.51.100.7", admin.password)).toBe("ok");
  });

  it("given a disabled user, then sign-in is refused and what was given before is over", async () => {
    const eve = await test.member(admin.credentials, "eve", "operator");
    const superuser = await test.connect("superuser");
    await superuser.query("update organizations.users set disabled_at = now() where name = 'eve'");
    expect(await test.outcomeOf("users.me", {}, eve.credentials)).toBe("unauthenticated");
    expect(await test.outcomeOf("sessions.create", { name: "eve", password: eve.password })).toBe("sign-in-failed");
    await superuser.end();
  });

  it("given a session that signs out on one server, then the other refuses it at once", async () => {
    const elsewhere = createAuthentication({ database: test.database, clock: test.clock, log: pino({ level: "silent" }), verifyJwt: async () => undefined, settleClaims: async () => undefined });
    const session = await test.signIn("admin", admin.password);
    const there = () => elsewhere.authenticate(session, { door: "http", address: "192.0.2.1" });
    expect((await there()).kind).toBe("user");
    await test.call("sessions.delete", { id: "current" }, session);
    await expect(there()).rejects.toMatchObject({ type: { code: "unauthenticated" } });
    expect(await test.outcomeOf("sessions.delete", { id: "ses_01jd0000000000000000000000" }, admin.credentials)).toBe("session-not-found");
  });

  it("given a session past its expiry, then it is over", async () => {
    const session = await test.signIn("admin", admin.password, "browser");
    expect((await test.actorOf(session)).kind).toBe("user");
    test.clock.advance(12 * 3_600_000);
    expect((await test.actorOf(session)).kind).toBe("anonymous");
  });

  it("given a list of sessions, then it holds one's own live ones, a page at a time", async () => {
    const bob = await test.member(admin.credentials, "bob", "viewer");
    await test.signIn("bob", bob.password, "browser");
    await test.signIn("bob", bob.password);
    const first = await test.call<{ items: { current: boolean; door: string }[]; next: string }>("sessions.list", { limit: 2 }, bob.credentials);
    const second = await test.call<{ items: { door: string }[]; next?: string }>("sessions.list", { limit: 2, cursor: first.next }, bob.credentials);
    expect(first.items.map(({ door, current }) => ({ door, current }))).toEqual([{ door: "cli", current: true }, { door: "browser", current: false }]);
    expect(second).toMatchObject({ items: [{ door: "cli" }] });
    expect(second.next).toBeUndefined();
    expect(await test.outcomeOf("sessions.list", { cursor: "usr_01jd0000000000000000000000" }, bob.credentials)).toBe("invalid-input");
  });
});

import { TOTP } from "otpauth";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Credentials } from "../../platform/operation/services.ts";
import { userUuid } from "./ids.ts";
import { sweepProvider } from "./provider/sweep.ts";
import { simulatedAuthenticator } from "./testing/authenticator.ts";
import { openSecrets, organizationsUnderTest, type UnderTest } from "./testing/platform.ts";

const minute = 60_000;
const at = { origin: "https://qinfra.example", rpId: "qinfra.example" };

let test: UnderTest;
let admin: Awaited<ReturnType<UnderTest["administrator"]>>;
let serial = 0;
beforeAll(async () => {
  test = await organizationsUnderTest();
  admin = await test.administrator();
});
afterAll(() => test.close());
// Each test has codes and limits of its own.
beforeEach(() => test.clock.advance(2 * 60 * minute));

const person = (role = "viewer") => test.member(admin.credentials, `person${++serial}`, role);
type Person = Awaited<ReturnType<typeof person>>;

/** What the app shows now, or in so many steps. */
function codeOfApp(secret: string, steps = 0): string {
  return TOTP.generate({ secret: new TOTP({ secret }).secret, timestamp: test.clock.now() + steps * 30_000 });
}

async function withTotp(who: Person): Promise<{ secret: string; recoveryCodes: string[]; credentials: Credentials }> {
  const credentials = await test.signIn(who.name, who.password);
  const { secret } = await test.call<{ secret: string }>("second-factors.add-totp", {}, credentials);
  const { recoveryCodes } = await test.call<{ recoveryCodes: string[] }>("second-factors.confirm-totp", { code: codeOfApp(secret) }, credentials);
  test.clock.advance(minute);
  return { secret, recoveryCodes, credentials };
}

const tryIn = (who: { name: string; password: string }, code?: string, address = "192.0.2.1") =>
  test.outcomeOf("sessions.create", { name: who.name, password: who.password, ...(code === undefined ? {} : { code }) }, {}, { address });

describe("an authenticator app", () => {
  it("given its first code, then it counts, ten recovery codes are shown, and sessions without it end", async () => {
    const ada = await person();
    const before = await test.signIn(ada.name, ada.password);
    const credentials = await test.signIn(ada.name, ada.password);
    test.events.length = 0;
    const begun = await test.call<{ secret: string; uri: string }>("second-factors.add-totp", {}, credentials);
    expect(begun.uri).toContain(`secret=${begun.secret}`);
    expect(await tryIn(ada)).toBe("ok"); // nothing counts yet
    expect(await test.outcomeOf("second-factors.confirm-totp", { code: "000000" }, credentials)).toBe("wrong-code");
    const enrolled = await test.call<{ recoveryCodes: string[]; endedSessions: number }>("second-factors.confirm-totp", { code: codeOfApp(begun.secret) }, credentials);
    expect(new Set(enrolled.recoveryCodes).size).toBe(10);
    expect(enrolled.endedSessions).toBe(3);
    expect(await test.outcomeOf("users.me", {}, before)).toBe("unauthenticated");
    expect(await test.actorOf(credentials)).toMatchObject({ secondFactor: true, confirmedAt: test.clock.now() });
    expect(await test.call("second-factors.list", {}, credentials)).toMatchObject({ items: [{ id: "totp", kind: "totp" }], recoveryCodes: 10 });
    expect(test.events.filter(({ type }) => type.startsWith("second-factors.")).map(({ type, subject, data }) => ({ type, subject, data }))).toEqual([
      { type: "second-factors.added", subject: ada.user, data: { kind: "totp", first: true, endedSessions: 3 } },
    ]);
    expect(JSON.stringify(test.events)).not.toContain(begun.secret);
  });

  it("given a code that begins a session, then the same code begins no second one, not even at the same time", async () => {
    const ada = await person();
    const { secret } = await withTotp(ada);
    const code = codeOfApp(secret);
    expect(await tryIn(ada)).toBe("second-factor-needed");
    const outcomes = await Promise.all([1, 2, 3, 4].map((n) => tryIn(ada, code, `198.51.100.${n}`)));
    expect(outcomes.sort()).toEqual(["ok", "second-factor-needed", "second-factor-needed", "second-factor-needed"]);
    expect(await tryIn(ada, codeOfApp(secret, -1))).toBe("second-factor-needed"); // older than one that was taken
    expect(await tryIn(ada, codeOfApp(secret, 1))).toBe("ok");
  });

  it("given the first code, then it begins no session as well", async () => {
    const ada = await person();
    const credentials = await test.signIn(ada.name, ada.password);
    const { secret } = await test.call<{ secret: string }>("second-factors.add-totp", {}, credentials);
    const code = codeOfApp(secret);
    await test.call("second-factors.confirm-totp", { code }, credentials);
    expect(await tryIn(ada, code)).toBe("second-factor-needed");
  });

  it("given a sign-in with it, then the session says so, and a wrong password says nothing of it", async () => {
    const ada = await person();
    const { secret } = await withTotp(ada);
    const { token } = await test.call<{ token: string }>("sessions.create", { name: ada.name, password: ada.password, code: codeOfApp(secret) });
    expect(await test.actorOf({ authorization: `Bearer ${token}` })).toMatchObject({ secondFactor: true, confirmedAt: test.clock.now() });
    expect(await tryIn({ ...ada, password: "not the password" })).toBe("sign-in-failed");
    expect(await tryIn({ ...ada, password: "not the password" }, codeOfApp(secret, 1))).toBe("sign-in-failed");
    expect(await tryIn(ada, codeOfApp(secret, 1))).toBe("ok"); // which the wrong password did not spend
  });

  it("given it is enrolled between the check of the password and the session, then no session begins without it", async () => {
    const ada = await person();
    const other = await test.connect("superuser");
    await other.query("begin");
    await other.query("select 1 from organizations.users where id = $1 for update", [userUuid(ada.user)]);
    await other.query("insert into organizations.totp (user_id, secret, created_at, confirmed_at) values ($1, 'sealed', now(), now())", [userUuid(ada.user)]);
    const outcome = tryIn(ada);
    const [{ pid }] = (await other.query("select pg_backend_pid() as pid")).rows as [{ pid: number }];
    const watch = await test.connect("superuser");
    await vi.waitUntil(async () => (await watch.query("select 1 from pg_stat_activity where $1 = any(pg_blocking_pids(pid))", [pid])).rowCount === 1, { timeout: 20_000 });
    await other.query("commit");
    expect(await outcome).toBe("second-factor-needed");
    await Promise.all([other.end(), watch.end()]);
  });

  it("given no first code for half an hour, then it is begun anew; the secret is kept sealed", async () => {
    const ada = await person();
    const credentials = await test.signIn(ada.name, ada.password);
    const first = await test.call<{ secret: string }>("second-factors.add-totp", {}, credentials);
    test.clock.advance(31 * minute);
    expect(await test.outcomeOf("second-factors.confirm-totp", { code: codeOfApp(first.secret) }, credentials)).toBe("totp-not-begun");
    const second = await test.call<{ secret: string }>("second-factors.add-totp", { currentPassword: ada.password }, credentials);
    expect(second.secret).not.toBe(first.secret);
    expect(await test.outcomeOf("second-factors.confirm-totp", { code: codeOfApp(first.secret) }, credentials)).toBe("wrong-code");
    expect(await test.outcomeOf("second-factors.confirm-totp", { code: codeOfApp(second.secret) }, credentials)).toBe("ok");
    const superuser = await test.connect("superuser");
    const { rows } = await superuser.query<{ secret: string }>("select secret from organizations.totp where user_id = $1", [userUuid(ada.user)]);
    await superuser.end();
    expect(rows[0]?.secret).toMatch(/^test:/); // an envelope of the secrets port, here a simulated one
    expect((await openSecrets.open(rows[0]?.secret ?? "", { purpose: "totp" })).length).toBe(20);
  });
});

describe("recovery codes", () => {
  it("given a code, then it signs in once, also when it is given several times at once", async () => {
    const ada = await person();
    const { recoveryCodes, credentials } = await withTotp(ada);
    const outcomes = await Promise.all([1, 2, 3, 4].map((n) => tryIn(ada, recoveryCodes[0]?.toUpperCase(), `198.51.100.${n}`)));
    expect(outcomes.filter((outcome) => outcome === "ok")).toHaveLength(1);
    expect(await test.call("second-factors.list", {}, credentials)).toMatchObject({ recoveryCodes: 9 });
  });

  it("given a new set, then the old one is over", async () => {
    const ada = await person();
    const { secret, recoveryCodes, credentials } = await withTotp(ada);
    test.clock.advance(6 * minute);
    expect(await test.outcomeOf("second-factors.new-recovery-codes", {}, credentials)).toBe("confirmation-needed");
    await test.call("sessions.confirm", { code: codeOfApp(secret) }, credentials);
    const made = await test.call<{ recoveryCodes: string[] }>("second-factors.new-recovery-codes", {}, credentials);
    expect(await tryIn(ada, recoveryCodes[1])).toBe("second-factor-needed");
    expect(await tryIn(ada, made.recoveryCodes[1])).toBe("ok");
  });

  it("given the last factor is removed, then they are gone and the password alone signs in", async () => {
    const ada = await person();
    const { recoveryCodes, credentials } = await withTotp(ada);
    expect(await test.outcomeOf("second-factors.remove", { id: "AAAAAAAAAAAAAAAA" }, credentials)).toBe("second-factor-not-found");
    expect(await test.call("second-factors.remove", { id: "totp" }, credentials)).toEqual({ id: "totp", left: 0 });
    expect(await test.call("second-factors.list", {}, credentials)).toEqual({ items: [], recoveryCodes: 0 });
    expect(await tryIn(ada)).toBe("ok");
    expect(await test.outcomeOf("sessions.confirm", { code: recoveryCodes[0] }, credentials)).toBe("no-second-factor");
    expect(await test.outcomeOf("second-factors.new-recovery-codes", {}, credentials)).toBe("confirmation-needed");
  });
});

describe("a stolen session", () => {
  it("given it is older than ten minutes, then it adds no first factor without the password", async () => {
    const ada = await person();
    const stolen = await test.signIn(ada.name, ada.password);
    test.clock.advance(10 * minute);
    for (const id of ["second-factors.add-totp", "second-factors.begin-passkey"]) {
      expect([id, await test.outcomeOf(id, {}, stolen)]).toEqual([id, "sign-in-again"]);
      expect([id, await test.outcomeOf(id, { currentPassword: "not the password" }, stolen)]).toEqual([id, "wrong-password"]);
    }
    expect(await test.outcomeOf("second-factors.add-totp", { currentPassword: ada.password }, stolen)).toBe("ok");
  });

  it("given the owner has a factor, then it adds none, removes none and makes no recovery codes", async () => {
    const ada = await person();
    const { credentials: stolen } = await withTotp(ada);
    test.clock.advance(6 * minute);
    for (const [id, input] of [["second-factors.add-totp", { currentPassword: ada.password }], ["second-factors.begin-passkey", {}], ["second-factors.remove", { id: "totp" }], ["second-factors.new-recovery-codes", {}]] as const) {
      expect([id, await test.outcomeOf(id, input, stolen)]).toEqual([id, "confirmation-needed"]);
    }
  });

  it("given it began before the owner's first factor was there, then what it began meanwhile does not count", async () => {
    const ada = await person();
    const [stolen, own] = [await test.signIn(ada.name, ada.password), await test.signIn(ada.name, ada.password)];
    const authenticator = simulatedAuthenticator(at);
    const { options } = await test.call<{ options: object }>("second-factors.begin-passkey", {}, stolen);
    const { secret } = await test.call<{ secret: string }>("second-factors.add-totp", {}, own);
    await test.call("second-factors.confirm-totp", { code: codeOfApp(secret) }, own);
    expect(await test.outcomeOf("second-factors.add-passkey", { name: "mine", credential: authenticator.create(options) }, stolen)).toBe("unauthenticated");
    // The same with a session that goes on: what was begun with a confirmation does not outlive it.
    test.clock.advance(4 * minute);
    const late = await test.call<{ options: object }>("second-factors.begin-passkey", {}, own);
    test.clock.advance(2 * minute);
    expect(await test.outcomeOf("second-factors.add-passkey", { name: "mine", credential: authenticator.create(late.options) }, own)).toBe("confirmation-needed");
  });

  it("given an API key or a token of an issuer, then it touches no second factor", async () => {
    const ada = await person("operator");
    const { key } = await test.call<{ key: string }>("api-keys.create", { name: "k", scopes: ["images:read"] }, ada.credentials);
    for (const [id, input] of [["second-factors.list", {}], ["second-factors.add-totp", {}], ["sessions.confirm", { code: "123456" }], ["second-factors.begin-passkey", {}]] as const) {
      expect([id, await test.outcomeOf(id, input, { authorization: `Bearer ${key}` })]).toEqual([id, "person-needed"]);
    }
    expect(await test.outcomeOf("second-factors.remove", { id: "totp" }, { authorization: `Bearer ${key}` })).toBe("confirmation-needed");
  });
});

it("given challenges and links that are over, then housekeeping deletes them and no other", async () => {
  const ada = await person();
  const credentials = await test.signIn(ada.name, ada.password);
  await test.call("second-factors.begin-passkey", {}, credentials);
  await test.call("users.reset-password", { user: ada.user }, admin.credentials);
  test.clock.advance(6 * minute);
  const { singleUses } = await sweepProvider(test.database, test.clock);
  const superuser = await test.connect("superuser");
  const { rows } = await superuser.query("select purpose from organizations.single_use");
  await superuser.end();
  expect([singleUses > 0, rows]).toEqual([true, [{ purpose: "password-reset" }]]);
});

describe("confirming a session", () => {
  it("given a code, then the session is confirmed for five minutes, and others are not", async () => {
    const ada = await person();
    const { secret, credentials } = await withTotp(ada);
    test.clock.advance(10 * minute);
    expect(await test.outcomeOf("sessions.confirm", { code: "000000" }, credentials)).toBe("wrong-code");
    const { until } = await test.call<{ until: string }>("sessions.confirm", { code: codeOfApp(secret) }, credentials);
    expect(Date.parse(until)).toBe(test.clock.now() + 5 * minute);
    test.clock.advance(minute);
    const { token } = await test.call<{ token: string }>("sessions.create", { name: ada.name, password: ada.password, code: codeOfApp(secret) });
    test.clock.advance(4 * minute + 1);
    expect(await test.outcomeOf("second-factors.new-recovery-codes", {}, credentials)).toBe("confirmation-needed");
    expect(await test.outcomeOf("second-factors.new-recovery-codes", {}, { authorization: `Bearer ${token}` })).toBe("ok");
  });
});

describe("a second factor that is required for a role", () => {
  it("given none, then a member in that role can only get one, and then do everything; others are not concerned", async () => {
    const org = await test.organization(admin.credentials, "strict");
    const ada = await test.member(org.credentials, "ada", "admin");
    const bob = await test.member(org.credentials, "bob", "operator");
    const { key } = await test.call<{ key: string }>("api-keys.create", { name: "k", scopes: ["members:read"] }, ada.credentials);
    const superuser = await test.connect("superuser");
    await superuser.query(`update organizations.organizations set settings = '{"secondFactor": {"roles": ["admin"]}}' where slug = 'strict'`);
    await superuser.end();
    const own = await test.signIn(ada.name, ada.password);
    const refused = await test.call("members.list", {}, own).catch((error: { data: unknown }) => error.data);
    expect(refused).toEqual({ reasons: ["second-factor-required"] });
    expect(await test.outcomeOf("members.list", {}, { ...own, organization: test.platformOrg })).toBe("unauthenticated"); // no member there
    for (const id of ["users.me", "sessions.list", "second-factors.list"]) expect([id, await test.outcomeOf(id, {}, own)]).toEqual([id, "ok"]);
    expect(await test.outcomeOf("members.list", {}, bob.credentials)).toBe("ok");
    expect(await test.outcomeOf("members.list", {}, { authorization: `Bearer ${key}` })).toBe("ok");
    const { secret } = await test.call<{ secret: string }>("second-factors.add-totp", {}, own);
    await test.call("second-factors.confirm-totp", { code: codeOfApp(secret) }, own);
    expect(await test.outcomeOf("members.list", {}, own)).toBe("ok");
    await test.call("second-factors.remove", { id: "totp" }, own);
    expect(await test.outcomeOf("members.list", {}, own)).toBe("policy-denied");
    expect(await test.outcomeOf("members.list", {}, await test.signIn(ada.name, ada.password))).toBe("policy-denied");
  });
});

describe("a lock-out", () => {
  const attempt = (address: string, { code, ...who }: { name: string; password: string; code?: string }) => tryIn(who, code, address);

  it.each([
    ["wrong passwords from one address", (n: number) => ({ address: "203.0.113.9", password: `guess ${n}`, code: undefined }), 40],
    ["wrong passwords from many addresses", (n: number) => ({ address: `203.0.113.${n}`, password: `guess ${n}`, code: undefined }), 40],
    ["wrong passwords and codes", (n: number) => ({ address: `203.0.113.${n % 4}`, password: `guess ${n}`, code: "123456" }), 40],
    ["wrong passwords from one IPv6 network", (n: number) => ({ address: `2001:db8::${n}`, password: `guess ${n}`, code: undefined }), 40],
  ])("given a stranger's %s, then the owner signs in from elsewhere", async (_case, guess, times) => {
    const ada = await person();
    const { secret } = await withTotp(ada);
    for (let n = 0; n < times; n++) {
      const { address, password, code } = guess(n);
      const outcome = await attempt(address, { name: ada.name, password, ...(code === undefined ? {} : { code }) });
      expect(["sign-in-failed", "too-many-requests"]).toContain(outcome);
    }
    expect(await attempt("192.0.2.77", { name: ada.name, password: ada.password, code: codeOfApp(secret) })).toBe("ok");
  });

  it("given somebody who has the password and guesses codes from many addresses, then codes are refused for a while and recovery codes are not", async () => {
    const ada = await person();
    const { secret, recoveryCodes } = await withTotp(ada);
    const guesses = [];
    const wrong = codeOfApp(secret) === "000000" ? "000001" : "000000";
    for (let n = 0; n < 31; n++) guesses.push(await attempt(`203.0.113.${n}`, { name: ada.name, password: ada.password, code: wrong }));
    expect(guesses.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => "second-factor-needed"));
    expect(guesses[30]).toBe("too-many-requests");
    expect(await attempt("192.0.2.77", { name: ada.name, password: ada.password, code: codeOfApp(secret) })).toBe("too-many-requests");
    expect(await attempt("192.0.2.77", { name: ada.name, password: ada.password, code: recoveryCodes[0] ?? "" })).toBe("ok");
    test.clock.advance(60 * minute);
    expect(await attempt("192.0.2.77", { name: ada.name, password: ada.password, code: codeOfApp(secret) })).toBe("ok");
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TOTP } from "otpauth";
import type { Credentials } from "../../platform/operation/services.ts";
import { organizationsUnderTest, type UnderTest } from "./testing/platform.ts";

const hour = 3_600_000;
const newPassword = "a new password by the link";

let test: UnderTest;
let admin: Awaited<ReturnType<UnderTest["administrator"]>>;
let tenant: { id: string; credentials: Credentials };
let owner: Awaited<ReturnType<UnderTest["member"]>>;
let serial = 0;
beforeAll(async () => {
  test = await organizationsUnderTest();
  admin = await test.administrator();
  tenant = await test.organization(admin.credentials, "tenant");
  owner = await test.member(tenant.credentials, "owner", "admin");
});
afterAll(() => test.close());
beforeEach(() => test.clock.advance(hour));

const person = (role = "viewer") => test.member(tenant.credentials, `somebody${++serial}`, role);

async function linkFor(user: string, by: Credentials = owner.credentials): Promise<string> {
  const { link } = await test.call<{ link: string }>("users.reset-password", { user }, by);
  expect(link).toMatch(/^https:\/\/qinfra\.example\/reset\/[0-9a-z_-]{50,100}$/);
  return link.slice(link.lastIndexOf("/") + 1);
}

const use = (token: string, address = "192.0.2.9") => test.outcomeOf("password-resets.use", { token, newPassword }, {}, { address });
const signIn = (name: string, password: string) => test.outcomeOf("sessions.create", { name, password });

/** An organization of another administrator, of whom the first one is no member. */
async function elsewhere() {
  const other = await test.organization(admin.credentials, `elsewhere${++serial}`);
  return { ...other, boss: await test.member(other.credentials, `boss${serial}`, "admin") };
}

async function alsoMemberOf(orgId: string, name: string, role: string): Promise<void> {
  const superuser = await test.connect("superuser");
  const org = (await test.actorOf({ ...admin.credentials, organization: orgId })).orgId;
  await superuser.query("insert into organizations.memberships (org_id, user_id, role, created_at) select $1, id, $2, now() from organizations.users where name = $3", [org, role, name]);
  await superuser.end();
}

describe("a link for a new password", () => {
  it("given it is made, then nothing ends until it is used, and then every session does", async () => {
    const ada = await person();
    test.events.length = 0;
    const token = await linkFor(ada.user);
    expect(await signIn(ada.name, ada.password)).toBe("ok");
    expect(await test.call("password-resets.look-up", { token })).toEqual({ name: ada.name, expiresAt: new Date(test.clock.now() + 24 * hour).toISOString() });
    expect(await test.outcomeOf("password-resets.use", { token, newPassword: "short" })).toBe("invalid-input");
    expect(await test.call("password-resets.use", { token, newPassword })).toEqual({ user: ada.user, endedSessions: 2 });
    expect(await test.outcomeOf("users.me", {}, ada.credentials)).toBe("unauthenticated");
    expect([await signIn(ada.name, ada.password), await signIn(ada.name, newPassword)]).toEqual(["sign-in-failed", "ok"]);
    const told = test.events.filter(({ type }) => type.startsWith("users.")).map(({ type, subject, data, origin }) => ({ type, subject, data, by: origin.actor.kind }));
    expect(told).toEqual([
      { type: "users.password-reset-offered", subject: ada.user, data: { expiresAt: expect.any(String) }, by: "user" },
      { type: "users.password-set", subject: ada.user, data: { endedSessions: 2, oneTimeSpent: false, by: "reset-link", offeredBy: owner.user }, by: "anonymous" },
      { type: "users.password-set", subject: ada.user, data: { endedSessions: 2, oneTimeSpent: false, by: "reset-link", offeredBy: owner.user }, by: "anonymous" },
    ]);
    expect(JSON.stringify(test.events)).not.toContain(token);
  });

  it("given it was used, is used by several at once, is old, was replaced, or is not whole, then it is over", async () => {
    const ada = await person();
    const first = await linkFor(ada.user);
    const second = await linkFor(ada.user);
    expect(await use(first)).toBe("reset-link-over");
    const outcomes = await Promise.all([1, 2, 3].map((n) => use(second, `198.51.100.${n}`)));
    expect(outcomes.sort()).toEqual(["ok", "reset-link-over", "reset-link-over"]);
    const third = await linkFor(ada.user);
    expect(await use(third.slice(0, -1))).toBe("reset-link-over");
    expect(await use(third.replace(/^./, (first) => (first === "0" ? "1" : "0")))).toBe("reset-link-over");
    expect(await use(`${third.slice(0, 53)}${ada.user}`)).toBe("reset-link-over"); // another maker
    test.clock.advance(24 * hour);
    expect(await use(third)).toBe("reset-link-over");
  });

  it("given the owner sets the password meanwhile, then the link is over", async () => {
    const ada = await person();
    const token = await linkFor(ada.user);
    await test.call("users.set-password", { currentPassword: ada.password, newPassword: "one of my own choice" }, ada.credentials);
    expect(await use(token)).toBe("reset-link-over");
  });

  it.each([
    ["is an administrator no more", (by: { user: string }) => test.call("members.set-role", { user: by.user, role: "operator" }, tenant.credentials)],
    ["has left", (by: { user: string }) => test.call("members.remove", { user: by.user }, tenant.credentials)],
    ["is disabled", (by: { user: string }) => test.call("users.disable", { user: by.user }, admin.credentials)],
  ])("given whoever made it %s, then it is over", async (_case, change) => {
    const [ada, by] = [await person(), await person("admin")];
    const token = await linkFor(ada.user, by.credentials);
    await change(by);
    expect(await use(token)).toBe("reset-link-over");
  });

  it("given the person joins an organization of others meanwhile, then it is over", async () => {
    const [ada, other] = [await person(), await elsewhere()];
    const token = await linkFor(ada.user);
    await alsoMemberOf(other.id, ada.name, "viewer");
    expect(await use(token)).toBe("reset-link-over");
  });

  it("given wrong links from an address, then that address has to wait and no other", async () => {
    const ada = await person();
    const token = await linkFor(ada.user);
    for (let n = 0; n < 10; n++) expect(await use(`${n}${token.slice(1)}x`, "198.51.100.50")).toBe("reset-link-over");
    expect(await use(token, "198.51.100.50")).toBe("too-many-requests");
    expect(await use(token, "198.51.100.51")).toBe("ok");
  });

  it("given a second factor, then it stays and is asked for", async () => {
    const ada = await person();
    const credentials = await test.signIn(ada.name, ada.password);
    const { secret } = await test.call<{ secret: string }>("second-factors.add-totp", {}, credentials);
    await test.call("second-factors.confirm-totp", { code: TOTP.generate({ secret: new TOTP({ secret }).secret, timestamp: test.clock.now() }) }, credentials);
    expect(await use(await linkFor(ada.user))).toBe("ok");
    expect(await signIn(ada.name, newPassword)).toBe("second-factor-needed");
  });
});

describe("who may make one", () => {
  it("given a member of other organizations too, then only who administers all of them, or the platform", async () => {
    const [ada, other] = [await person(), await elsewhere()];
    await alsoMemberOf(other.id, ada.name, "viewer");
    const make = (credentials: Credentials) => test.outcomeOf("users.reset-password", { user: ada.user }, credentials);
    expect(await make(owner.credentials)).toBe("administered-elsewhere");
    expect(await make(other.boss.credentials)).toBe("administered-elsewhere");
    expect(await make(admin.credentials)).toBe("ok");
    await alsoMemberOf(tenant.id, other.boss.name, "admin");
    expect(await make(other.boss.credentials)).toBe("ok");
  });

  it.each([
    ["an administrator elsewhere", async () => (await elsewhere()).boss.credentials, "member-not-found"],
    ["an operator", async () => (await person("operator")).credentials, "permission-missing"],
    ["an API key of an administrator", async () => ({ authorization: `Bearer ${(await test.call<{ key: string }>("api-keys.create", { name: "k", scopes: ["members:write"] }, owner.credentials)).key}` }), "person-needed"],
  ])("given %s, then none: %s", async (_case, credentials, outcome) => {
    const ada = await person();
    expect(await test.outcomeOf("users.reset-password", { user: ada.user }, await credentials())).toBe(outcome);
  });

  it("given oneself, a service account or a disabled person, then none", async () => {
    expect(await test.outcomeOf("users.reset-password", { user: owner.user }, owner.credentials)).toBe("not-oneself");
    const bot = await test.call<{ id: string }>("service-accounts.create", { name: "bot", role: "viewer" }, owner.credentials);
    expect(await test.outcomeOf("users.reset-password", { user: bot.id }, owner.credentials)).toBe("no-password");
    const ada = await person();
    await test.call("users.disable", { user: ada.user }, admin.credentials);
    expect(await test.outcomeOf("users.reset-password", { user: ada.user }, owner.credentials)).toBe("no-password");
  });

  it("given an administrator with a second factor, then only after giving it", async () => {
    const [ada, by] = [await person(), await person("admin")];
    const credentials = await test.signIn(by.name, by.password);
    const { secret } = await test.call<{ secret: string }>("second-factors.add-totp", {}, credentials);
    await test.call("second-factors.confirm-totp", { code: TOTP.generate({ secret: new TOTP({ secret }).secret, timestamp: test.clock.now() }) }, credentials);
    expect(await test.outcomeOf("users.reset-password", { user: ada.user }, credentials)).toBe("ok");
    test.clock.advance(6 * 60_000);
    expect(await test.outcomeOf("users.reset-password", { user: ada.user }, credentials)).toBe("confirmation-needed");
  });
});

describe("disabling", () => {
  it("given a disabled person, then nothing of theirs works, and after enabling keys do and sessions do not", async () => {
    const ada = await person("operator");
    const { key } = await test.call<{ key: string }>("api-keys.create", { name: "k", scopes: ["images:read"] }, ada.credentials);
    const token = await linkFor(ada.user);
    test.events.length = 0;
    expect(await test.call("users.disable", { user: ada.user }, admin.credentials)).toEqual({ user: ada.user, disabled: true, endedSessions: 1 });
    const withKey = () => test.outcomeOf("users.me", {}, { authorization: `Bearer ${key}` });
    expect([await test.outcomeOf("users.me", {}, ada.credentials), await withKey(), await signIn(ada.name, ada.password), await use(token)]).toEqual(["unauthenticated", "unauthenticated", "sign-in-failed", "reset-link-over"]);
    expect(await test.call("users.enable", { user: ada.user }, admin.credentials)).toEqual({ user: ada.user, disabled: false });
    expect([await test.outcomeOf("users.me", {}, ada.credentials), await withKey(), await signIn(ada.name, ada.password)]).toEqual(["unauthenticated", "ok", "ok"]);
    expect(new Set(test.events.map(({ type }) => type))).toEqual(new Set(["users.disabled", "users.enabled", "sessions.created"]));
    expect(test.events.filter(({ type }) => type === "users.disabled")).toHaveLength(2); // the platform's log, and that of the organization
  });

  it("given oneself, an unknown user or an administrator of a tenant, then it is refused", async () => {
    const me = await test.call<{ user: { id: string } }>("users.me", {}, admin.credentials);
    expect(await test.outcomeOf("users.disable", { user: me.user.id }, admin.credentials)).toBe("not-oneself");
    expect(await test.outcomeOf("users.disable", { user: "usr_01jd0000000000000000000000" }, admin.credentials)).toBe("user-not-found");
    expect(await test.outcomeOf("users.enable", { user: "usr_01jd0000000000000000000000" }, admin.credentials)).toBe("user-not-found");
    expect(await test.outcomeOf("users.disable", { user: (await person()).user }, owner.credentials)).toBe("permission-missing");
  });
});

describe("second factors of somebody who lost them", () => {
  it("given an administrator of the platform who gave their own, then they are removed and sessions end", async () => {
    const ada = await person();
    const enrol = async (name: string, password: string) => {
      const credentials = await test.signIn(name, password);
      const { secret } = await test.call<{ secret: string }>("second-factors.add-totp", {}, credentials);
      await test.call("second-factors.confirm-totp", { code: TOTP.generate({ secret: new TOTP({ secret }).secret, timestamp: test.clock.now() }) }, credentials);
      return credentials;
    };
    const credentials = await enrol(ada.name, ada.password);
    expect(await test.outcomeOf("users.reset-second-factors", { user: ada.user }, admin.credentials)).toBe("confirmation-needed");
    const boss = await enrol(admin.name, admin.password);
    expect(await test.call("users.reset-second-factors", { user: ada.user }, boss)).toEqual({ user: ada.user, endedSessions: 1 });
    expect(await test.outcomeOf("users.me", {}, credentials)).toBe("unauthenticated");
    expect(await signIn(ada.name, ada.password)).toBe("ok");
    expect(await test.outcomeOf("users.reset-second-factors", { user: ada.user }, boss)).toBe("no-second-factor");
    expect(await test.outcomeOf("users.reset-second-factors", { user: "usr_01jd0000000000000000000000" }, boss)).toBe("user-not-found");
    await test.call("second-factors.remove", { id: "totp" }, boss);
  });
});

import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { IdTokenClaims } from "../../../platform/identity/id-token.ts";
import { userUuid } from "../ids.ts";
import { organizationsUnderTest, type UnderTest } from "../testing/platform.ts";

// What a verified ID token says; how it is verified is tested beside the verifier.
const said: Record<string, Partial<IdTokenClaims>> = {};
let test: UnderTest;
let admin: Awaited<ReturnType<UnderTest["administrator"]>>;

async function verifyIdToken(token: string): Promise<IdTokenClaims | undefined> {
  const claims = said[token];
  if (claims === undefined) return undefined;
  const issuedAt = Math.floor(test.clock.now() / 1000);
  return {
    issuer: "https://issuer.example", subject: token, own: false, service: false, issuedAt, until: issuedAt + 330,
    digest: createHash("sha256").update(token).digest(), ...claims,
  };
}

beforeAll(async () => {
  test = await organizationsUnderTest({ verifyIdToken });
  admin = await test.administrator();
});
afterAll(() => test.close());

/** A member whom the issuer knows by that subject. */
async function known(subject: string) {
  const member = await test.member(admin.credentials, subject, "viewer");
  const superuser = await test.connect("superuser");
  await superuser.query("insert into organizations.user_identities values ('https://issuer.example', $1, $2, now())", [subject, userUuid(member.user)]);
  await superuser.end();
  return member;
}

interface Answer { token: string; session: string; user: string; organization: string; mustChangePassword: boolean }
const exchange = (idToken: string, more: object = {}) => test.call<Answer>("sessions.exchange", { idToken, door: "cli", ...more });

async function rowOf(session: string) {
  const superuser = await test.connect("superuser");
  const { rows } = await superuser.query("select issuer, second_factor, confirmed_at, door, must_change from organizations.sessions order by created_at desc, id desc limit 1");
  await superuser.end();
  return { session, ...rows[0] };
}

describe("sessions.exchange", () => {
  it("given a fresh token of a member, then a session begins that is as good as any", async () => {
    const ada = await known("ada");
    said["ada"] = { secondFactor: true, authenticatedAt: test.clock.now() / 1000 - 60 };
    test.events.length = 0;
    const answer = await exchange("ada");
    expect(answer).toMatchObject({ user: ada.user, organization: test.platformOrg, mustChangePassword: false });
    expect(await test.actorOf({ authorization: `Bearer ${answer.token}` })).toMatchObject({ kind: "user", userId: userUuid(ada.user), roles: ["viewer"] });
    expect(await rowOf(answer.session)).toMatchObject({ issuer: "https://issuer.example", second_factor: true, confirmed_at: new Date(test.clock.now() - 60_000), door: "cli" });
    expect(test.events.map(({ type, data }) => ({ type, data }))).toEqual([
      { type: "sessions.created", data: { user: ada.user, door: "cli", mustChangePassword: false, issuer: "https://issuer.example", secondFactor: true } },
    ]);
  });

  it("given the same token again, or twice at once, then it is good once", async () => {
    await known("bea");
    said["bea"] = {};
    const outcomes = await Promise.all([1, 2, 3].map(() => test.outcomeOf("sessions.exchange", { idToken: "bea" })));
    expect(outcomes.sort()).toEqual(["id-token-refused", "id-token-refused", "ok"]);
    expect(await test.outcomeOf("sessions.exchange", { idToken: "bea" })).toBe("id-token-refused");
  });

  it("given a token of the platform's own provider, then the session is local, and a one-time password still asks for a new one", async () => {
    const made = await test.call<{ user: string }>("members.add", { name: "new-here", role: "viewer" }, admin.credentials);
    said["own"] = { own: true, issuer: "https://qinfra.example/oidc", subject: made.user };
    const answer = await exchange("own", { door: "browser" });
    expect(answer.mustChangePassword).toBe(true);
    expect(await rowOf(answer.session)).toMatchObject({ issuer: "local", door: "browser", must_change: true, second_factor: false, confirmed_at: null });
    expect(await test.outcomeOf("users.me", {}, { cookie: { session: answer.token, csrf: true } })).toBe("password-change-required");
  });

  it.each<[string, (name: string, password: string) => Promise<unknown>]>([
    ["the password was changed", async (name, password) => test.call("users.set-password", { currentPassword: password, newPassword: `${password} again` }, await test.signIn(name, password))],
    ["a second factor was added", async (name) => sqlAs("insert into organizations.totp (user_id, secret, confirmed_at, created_at) select id, 'x', now(), now() from organizations.users where name = $1", name)],
  ])("given that %s after the password was given to the platform's own provider, then no session begins", async (what, change) => {
    const member = await test.member(admin.credentials, what.replaceAll(" ", "-"), "viewer");
    const own = { own: true, issuer: "https://qinfra.example/oidc", subject: member.user };
    for (const [token, authenticatedAt] of [["before", test.clock.now() / 1000], ["held back", test.clock.now() / 1000], ["after", test.clock.now() / 1000 + 2]] as const) {
      said[`${token} ${what}`] = { ...own, authenticatedAt, ...(token === "after" && { secondFactor: true as const }) };
    }
    expect((await exchange(`before ${what}`)).user).toBe(member.user);
    test.clock.advance(1_000);
    await change(member.name, member.password);
    expect(await test.outcomeOf("sessions.exchange", { idToken: `held back ${what}` })).toBe("id-token-refused");
    test.clock.advance(1_000);
    expect((await exchange(`after ${what}`)).user).toBe(member.user);
  });

  it("given a member of several organizations, then the named one counts", async () => {
    const org = await test.organization(admin.credentials, "exchange");
    const cy = await known("cy");
    said["cy"] = {};
    said["cy again"] = { subject: "cy" };
    expect(await test.outcomeOf("sessions.exchange", { idToken: "cy", organization: org.id })).toBe("id-token-refused");
    await test.call("members.add", { name: cy.name, role: "operator" }, org.credentials);
    expect(await exchange("cy again", { organization: org.id })).toMatchObject({ organization: org.id });
  });

  it.each<[string, (name: string) => Promise<unknown>]>([
    ["is disabled", async (name) => sqlAs("update organizations.users set disabled_at = now() where name = $1", name)],
    ["is erased", async (name) => sqlAs("update organizations.users set erased_at = now() where name = $1", name)],
    ["is a member no more", async (name) => sqlAs("delete from organizations.memberships m using organizations.users u where u.id = m.user_id and u.name = $1", name)],
  ])("given a person who %s, then no session begins, and nothing more is said", async (what, change) => {
    const name = what.replaceAll(" ", "-");
    await known(name);
    said[name] = {};
    await change(name);
    await expect(exchange(name)).rejects.toMatchObject({ type: { code: "id-token-refused", status: 401 }, data: undefined });
  });

  it.each<[string, Partial<IdTokenClaims>, string]>([
    ["that its issuer gave to a program for itself", { service: true }, "person"],
    ["of a service account", {}, "service"],
  ])("given a token %s, then no session begins", async (_what, claims, kind) => {
    const { name } = await known(`robot-${kind}`);
    said[name] = claims;
    await sqlAs(`update organizations.users set kind = '${kind}' where name = $1`, name);
    expect(await test.outcomeOf("sessions.exchange", { idToken: name })).toBe("id-token-refused");
  });

  it("given a session of somebody who turns out to be a service account, then it is over", async () => {
    const { name } = await known("taken-for-a-person");
    said[name] = {};
    const { token } = await exchange(name);
    expect(await test.outcomeOf("users.me", {}, { authorization: `Bearer ${token}` })).toBe("ok");
    await sqlAs("update organizations.users set kind = 'service' where name = $1", name);
    expect(await test.outcomeOf("users.me", {}, { authorization: `Bearer ${token}` })).toBe("unauthenticated");
  });

  it.each([["is not accepted", "unknown"], ["means nobody here", "stranger"]])("given a token that %s, then the answer is the same", async (_what, token) => {
    said["stranger"] = {};
    const error = await exchange(token).catch((reason: Error) => reason);
    expect(error).toMatchObject({ type: { code: "id-token-refused" }, message: expect.stringContaining("was used before, is older than five minutes, or nobody here is meant") });
  });
});

async function sqlAs(text: string, name: string): Promise<void> {
  const superuser = await test.connect("superuser");
  await superuser.query(text, [name]);
  await superuser.end();
}

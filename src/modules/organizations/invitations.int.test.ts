import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Credentials } from "../../platform/operation/services.ts";
import { passwords } from "./passwords.ts";
import { organizationsUnderTest, type UnderTest } from "./testing/platform.ts";

let test: UnderTest;
let admin: Awaited<ReturnType<UnderTest["administrator"]>>;
beforeAll(async () => {
  test = await organizationsUnderTest();
  admin = await test.administrator();
});
afterAll(() => test.close());

interface Made { id: string; link: string; expiresAt: string; state: string }

/** Each caller from an address of its own, so that limits of addresses do not add up. */
let addresses = 0;
const elsewhere = () => ({ address: `198.51.100.${(addresses += 1)}` });

async function invite(credentials: Credentials, input: Record<string, unknown> = {}) {
  const made = await test.call<Made>("invitations.create", { role: "operator", ...input }, credentials);
  return { ...made, token: made.link.slice("https://qinfra.example/join/".length) };
}

async function stateOf(token: string): Promise<string> {
  return (await test.call<{ state: string }>("invitations.look-up", { token }, {}, elsewhere())).state;
}

const signUp = (token: string, name: string, more = elsewhere()) => test.outcomeOf("invitations.sign-up", { token, name, password: `the password of ${name}` }, {}, more);
const accept = (token: string, credentials: Credentials) => test.outcomeOf("invitations.accept", { token }, credentials, elsewhere());

describe("an invitation", () => {
  it("given that who invited may no longer while somebody signs up, then they do not join", async () => {
    const org = await test.organization(admin.credentials, "demoting");
    const ina = await test.member(org.credentials, "ina-who-invites", "admin");
    const { token } = await invite(ina.credentials);
    vi.spyOn(passwords, "hash").mockImplementationOnce(async () => {
      await test.call("members.set-role", { user: ina.user, role: "viewer" }, org.credentials);
      return "";
    });
    expect(await signUp(token, "late-comer")).toBe("invitation-over");
  });

  it("given a link, then it says where it leads, and a new person joins by it once", async () => {
    const org = await test.organization(admin.credentials, "inviting");
    const made = await invite(org.credentials, { email: "ada@example.com", expiresInHours: 48 });
    expect(made).toMatchObject({ state: "pending", role: "operator", email: "ada@example.com", expiresAt: new Date(test.clock.now() + 48 * 3_600_000).toISOString() });
    expect(made.link).toMatch(/^https:\/\/qinfra\.example\/join\/[0-9a-z]{52}$/);
    expect(await test.call("invitations.look-up", { token: made.token })).toEqual({ organization: "inviting", role: "operator", state: "pending", expiresAt: made.expiresAt });
    const joined = await test.call<{ user: string }>("invitations.sign-up", { token: made.token, name: "ada", displayName: "Ada Lovelace", password: "the password of ada" });
    expect(joined).toMatchObject({ organization: org.id, role: "operator" });
    expect(await test.call("sessions.create", { name: "ada", password: "the password of ada" })).toMatchObject({ organization: org.id, mustChangePassword: false });
    expect(await signUp(made.token, "eve")).toBe("invitation-over");
    const { items } = await test.call<{ items: unknown[] }>("invitations.list", {}, org.credentials);
    expect(items).toMatchObject([{ id: made.id, state: "accepted", acceptedBy: joined.user }]);
    expect(JSON.stringify(items)).not.toMatch(/ada@example|join/);
    expect(JSON.stringify(items)).not.toContain(made.token);
    const { items: members } = await test.call<{ items: unknown[] }>("members.list", {}, org.credentials);
    expect(members).toContainEqual(expect.objectContaining({ user: joined.user, displayName: "Ada Lovelace", email: "ada@example.com", kind: "person", role: "operator" }));
    expect(test.events.filter((event) => event.subject === joined.user && event.type === "members.added")).toMatchObject([{ data: { organization: org.id, role: "operator", created: true, invitation: made.id } }]);
  });

  it("given somebody who is signed in, then they join with the account that they have, and not twice", async () => {
    const [home, away] = [await test.organization(admin.credentials, "home"), await test.organization(admin.credentials, "away")];
    const hana = await test.member(home.credentials, "hana", "viewer");
    const made = await invite(away.credentials, { role: "auditor" });
    expect(await test.call("invitations.accept", { token: made.token }, hana.credentials)).toEqual({ organization: away.id, role: "auditor" });
    expect(await test.call("users.me", {}, { ...hana.credentials, organization: away.id })).toMatchObject({ roles: ["auditor"] });
    const again = await invite(away.credentials, { role: "admin" });
    expect(await accept(again.token, hana.credentials)).toBe("member-exists");
    expect(await stateOf(again.token)).toBe("pending");
  });

  it("given two who use it at once, then one joins", async () => {
    const org = await test.organization(admin.credentials, "invite-race");
    const made = await invite(org.credentials);
    const outcomes = await Promise.all([signUp(made.token, "fast"), signUp(made.token, "faster")]);
    expect(outcomes.sort()).toEqual(["invitation-over", "ok"]);
    const { items } = await test.call<{ items: unknown[] }>("members.list", {}, org.credentials);
    expect(items).toHaveLength(2);
  });

  it("given it is not used in time, or revoked, then nobody joins by it", async () => {
    const org = await test.organization(admin.credentials, "over");
    const [late, revoked] = [await invite(org.credentials, { expiresInHours: 1 }), await invite(org.credentials)];
    expect(await test.call("invitations.revoke", { id: revoked.id }, org.credentials)).toMatchObject({ state: "revoked" });
    test.clock.advance(3_600_000);
    expect([await stateOf(late.token), await stateOf(revoked.token)]).toEqual(["expired", "revoked"]);
    expect([await signUp(late.token, "tardy"), await signUp(revoked.token, "tardy")]).toEqual(["invitation-over", "invitation-over"]);
    expect(await test.outcomeOf("sessions.create", { name: "tardy", password: "the password of tardy" })).toBe("sign-in-failed");
  });

  it("given an accepted one, then it is not revoked; given another organization's, then it is not found", async () => {
    const [mine, theirs] = [await test.organization(admin.credentials, "mine-inv"), await test.organization(admin.credentials, "theirs-inv")];
    const made = await invite(mine.credentials);
    expect(await test.outcomeOf("invitations.revoke", { id: made.id }, theirs.credentials)).toBe("invitation-not-found");
    expect(await test.call("invitations.list", {}, theirs.credentials)).toEqual({ items: [] });
    expect(await signUp(made.token, "used")).toBe("ok");
    expect(await test.outcomeOf("invitations.revoke", { id: made.id }, mine.credentials)).toBe("invitation-over");
  });

  it.each([["members.remove", {}], ["members.set-role", { role: "operator" }]])("given whoever invited loses the right by %s, then the link is worth nothing", async (operation, more) => {
    const slug = `backdoor-${operation.split(".")[1]}`;
    const org = await test.organization(admin.credentials, slug);
    const mallory = await test.member(org.credentials, `mallory-${slug}`, "admin");
    const made = await invite(mallory.credentials, { role: "admin" });
    expect(await stateOf(made.token)).toBe("pending");
    await test.call(operation, { user: mallory.user, ...more }, org.credentials);
    expect(await stateOf(made.token)).toBe("revoked");
    expect(await signUp(made.token, `again-${slug}`)).toBe("invitation-over");
  });

  it("given a role that is wider than one's own, then no invitation is made", async () => {
    const org = await test.organization(admin.credentials, "wide-inv");
    const narrow = await test.call<{ key: string }>("api-keys.create", { name: "k", scopes: ["members:write", "members:read"] }, org.credentials);
    expect(await test.outcomeOf("invitations.create", { role: "viewer" }, { authorization: `Bearer ${narrow.key}` })).toBe("role-too-wide");
    const olga = await test.member(org.credentials, "olga-inv", "operator");
    expect(await test.outcomeOf("invitations.create", { role: "viewer" }, olga.credentials)).toBe("permission-missing");
  });

  it("given a read-only organization or one that is being deleted, then nobody joins it", async () => {
    const superuser = await test.connect("superuser");
    for (const [slug, change, code] of [["frozen", `settings = '{"readOnly": true}'`, "policy-denied"], ["closing", "closed_at = now(), due_at = now()", "organization-closed"]]) {
      const org = await test.organization(admin.credentials, slug as string);
      const made = await invite(org.credentials);
      await superuser.query(`update organizations.organizations set ${change} where slug = $1`, [slug]);
      expect(await signUp(made.token, `of-${slug}`)).toBe(code);
    }
    await superuser.end();
  });

  it("given a platform on which nobody has a password, then no account with one is made", async () => {
    const org = await test.organization(admin.credentials, "no-passwords");
    const made = await invite(org.credentials);
    const { settings } = test.services;
    test.services.settings = { ...settings, signIn: { ...settings.signIn, passwords: false } };
    expect(await signUp(made.token, "nobody")).toBe("passwords-off");
    test.services.settings = settings;
    expect(await signUp(made.token, "nobody")).toBe("ok");
  });

  it("given an API key, then it joins nothing for its person", async () => {
    const org = await test.organization(admin.credentials, "no-key");
    const made = await invite(org.credentials);
    const key = await test.call<{ key: string }>("api-keys.create", { name: "k", scopes: ["members:read"] }, admin.credentials);
    expect(await accept(made.token, { authorization: `Bearer ${key.key}` })).toBe("person-needed");
  });

  it("given wrong tokens, then each is not found, and their address is stopped while others are not", async () => {
    const org = await test.organization(admin.credentials, "guessed");
    const made = await invite(org.credentials);
    const guesser = elsewhere();
    const outcomes: string[] = [];
    for (let i = 0; i < 11; i += 1) outcomes.push(await test.outcomeOf("invitations.look-up", { token: `guess ${i}` }, {}, guesser));
    expect(outcomes).toEqual([...Array.from({ length: 10 }, () => "invitation-not-found"), "too-many-requests"]);
    expect(await stateOf(made.token)).toBe("pending");
  });

  it("given a taken login name, then the invitation stays, and names are not tried without end", async () => {
    const org = await test.organization(admin.credentials, "names");
    const made = await invite(org.credentials);
    const from = elsewhere();
    const outcomes: string[] = [];
    for (let i = 0; i < 11; i += 1) outcomes.push(await signUp(made.token, "ADMIN", from));
    expect(outcomes).toEqual([...Array.from({ length: 10 }, () => "name-taken"), "too-many-requests"]);
    expect(await signUp(made.token, "free")).toBe("ok");
  });
});

describe("leaving", () => {
  it("given a member, then membership, keys, sessions and open invitations here end, and elsewhere nothing", async () => {
    const [one, two] = [await test.organization(admin.credentials, "left"), await test.organization(admin.credentials, "kept")];
    const lea = await test.member(one.credentials, "lea", "admin");
    const made = await invite(two.credentials, { role: "viewer" });
    await test.call("invitations.accept", { token: made.token }, lea.credentials);
    const key = await test.call<{ key: string }>("api-keys.create", { name: "k", scopes: ["members:read"] }, lea.credentials);
    const open = await invite(lea.credentials);
    expect(await test.call("members.leave", { id: one.id }, lea.credentials)).toEqual({ organization: one.id, revokedKeys: 1, endedSessions: 1 });
    expect(await test.outcomeOf("members.list", {}, { authorization: `Bearer ${key.key}` })).toBe("unauthenticated");
    expect(await stateOf(open.token)).toBe("revoked");
    const again = await test.signIn("lea", lea.password);
    expect(await test.call("users.me", {}, { authorization: again.authorization as string })).toMatchObject({ organization: { id: two.id } });
  });

  it("given the last administrator, an API key or somebody who is no member, then nobody leaves", async () => {
    const org = await test.organization(admin.credentials, "stays");
    expect(await test.outcomeOf("members.leave", { id: org.id }, org.credentials)).toBe("last-administrator");
    const key = await test.call<{ key: string }>("api-keys.create", { name: "k", scopes: ["members:write"] }, org.credentials);
    expect(await test.outcomeOf("members.leave", { id: org.id }, { authorization: `Bearer ${key.key}` })).toBe("person-needed");
    const other = await test.organization(admin.credentials, "not-theirs");
    const sam = await test.member(org.credentials, "sam", "viewer");
    expect(await test.outcomeOf("members.leave", { id: other.id }, sam.credentials)).toBe("organization-not-found");
  });
});

it("given all of this, then events hold neither links, names nor addresses", () => {
  expect(test.events.filter((event) => event.type.startsWith("invitations.")).length).toBeGreaterThan(5);
  expect(test.events.filter((event) => /join|example\.com|lovelace|password of/i.test(JSON.stringify(event.data)))).toEqual([]);
});

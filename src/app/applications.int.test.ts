import { createHash, randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { actorAgain } from "../modules/organizations/index.ts";
import type { Actor } from "../platform/actor.ts";
import { sql } from "../platform/database/sql.ts";
import { fromTypeId } from "../platform/ids.ts";
import { actionIn, browser, fieldIn, type Browser } from "./testing-browser.ts";
import { signInUnderTest, type SignInUnderTest } from "./testing-site.ts";

let site: SignInUnderTest;
let http: FastifyInstance;
let who: { user: string; name: string; password: string };
let admin: { authorization: string };
let application: string;

const redirectUri = "http://127.0.0.1:4711/callback";

beforeAll(async () => {
  site = await signInUnderTest();
  ({ http } = await site.serve("http://qinfra.example"));
  who = await site.person("joan", "operator");
  admin = await site.administrator();
  const made = await site.under.call<{ id: string }>("applications.create", { name: "Editor <i>", redirectUris: ["http://127.0.0.1/callback"] }, { authorization: admin.authorization });
  application = made.id;
});
afterAll(() => site.close());

interface Asked {
  url: string;
  verifier: string;
}

function authorization(more: Record<string, string | undefined> = {}): Asked {
  const verifier = randomBytes(32).toString("base64url");
  const query = {
    client_id: application, response_type: "code", redirect_uri: redirectUri, scope: "openid images:read assets:write", resource: "http://qinfra.example/mcp",
    state: "abc", code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256", ...more,
  };
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { url: `/oidc/auth?${new URLSearchParams(given).toString()}`, verifier };
}

async function form(url: string, fields: Record<string, string>) {
  const answer = await http.inject({ method: "POST", url, payload: new URLSearchParams(fields).toString(), headers: { host: "qinfra.example", "content-type": "application/x-www-form-urlencoded" } });
  return { status: answer.statusCode, body: answer.body === "" ? {} : answer.json<Record<string, string>>() };
}

const exchange = (code: string, verifier: string, client = application) => form("/oidc/token", { client_id: client, grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: redirectUri });

/** The consent page, for a person who is signed in. */
async function consent(visitor: Browser, asked: Asked) {
  const page = await visitor.get((await visitor.follow(await visitor.get(asked.url))).location as string);
  return page;
}

async function answered(visitor: Browser, page: { text: string }, decision: "allow" | "refuse"): Promise<URL> {
  const sent = await visitor.post(actionIn(page.text), { csrf: fieldIn(page.text.slice(page.text.indexOf("<main")), "csrf"), decision });
  return new URL((await visitor.follow(sent)).location as string);
}

/** A token for the application, which the person allowed. */
async function token(more: Record<string, string | undefined> = {}) {
  const visitor = browser(http);
  await visitor.signIn(who.name, who.password);
  const asked = authorization(more);
  const answer = await answered(visitor, await consent(visitor, asked), "allow");
  const { body } = await exchange(answer.searchParams.get("code") as string, asked.verifier, more["client_id"]);
  return { visitor, body, access: body["access_token"] as string };
}

async function standing(access: string) {
  return site.under.actorOf({ authorization: `Bearer ${access}` }).catch((error: unknown) => (error as { type: { code: string } }).type.code);
}

/** As whom something would run now that the application asked for before, and people approved. */
function again(actor: Actor): Promise<Actor | undefined> {
  const { database, clock, authentication } = site.under;
  return actorAgain({ database, clock, stillAllowed: authentication.stillAllowed })(actor.orgId as string, { ...actor, confirmed: false, granted: actor.permissions });
}

describe("another application", () => {
  test("is let in by a person who signs in and allows it, and does no more than it was allowed", async () => {
    // given nobody who is signed in, when the application sends them here
    const visitor = browser(http);
    const asked = authorization();
    const password = await visitor.follow(await visitor.get(asked.url));
    expect(password.text).toContain('name="password"');
    const sent = await visitor.post(actionIn(password.text), { csrf: fieldIn(password.text, "csrf"), name: who.name, password: who.password });
    const page = await visitor.get((await visitor.follow(sent)).location as string);

    // then they are told who asks, for what, and where the answer goes
    expect(page.text).toContain("Allow Editor &lt;i&gt;?");
    expect(page.text).toContain("<strong>127.0.0.1:4711</strong>");
    for (const permission of ["images:read", "assets:write"]) expect(page.text).toContain(`<code>${permission}</code>`);
    expect(page.headers["content-security-policy"]).toContain("form-action 'self' http://127.0.0.1:4711;");
    const answer = await answered(visitor, page, "allow");
    expect(answer.origin + answer.pathname).toBe(redirectUri);
    expect(Object.fromEntries(answer.searchParams)).toMatchObject({ state: "abc", iss: "http://qinfra.example/oidc" });

    // and the token stands for the person within that
    const { body } = await exchange(answer.searchParams.get("code") as string, asked.verifier);
    expect(body).toMatchObject({ token_type: "Bearer", expires_in: 3600, access_token: expect.stringMatching(/^[\w-]{43}$/) });
    expect(await standing(body["access_token"] as string)).toMatchObject({ kind: "api-key", ai: true, permissions: ["images:read", "assets:write"], mustChangePassword: false });
    expect(await site.under.outcomeOf("sessions.list", {}, { authorization: `Bearer ${body["access_token"]}` })).toBe("person-needed");
    expect(await site.under.outcomeOf("api-keys.list", {}, { authorization: `Bearer ${body["access_token"]}` })).toBe("permission-missing");
  });

  test("is allowed by an event in the log of each organization in which it may act, which says who allowed it what", async () => {
    const other = await site.under.organization({ authorization: admin.authorization }, "of-lea");
    const lea = await site.person("lea", "viewer");
    await site.under.call("members.add", { name: lea.name, role: "viewer" }, other.credentials);
    const visitor = browser(http);
    await visitor.signIn(lea.name, lea.password);
    const session = (await site.under.actorOf({ cookie: { session: visitor.jar.get("qinfra") as string, csrf: true } })).sessionId;
    site.under.events.length = 0;
    await answered(visitor, await consent(visitor, authorization({ scope: "openid images:read platform:*" })), "allow");
    expect(site.under.events.map(({ type, subject, data, orgId, origin }) => ({ type, subject, data, orgId, by: origin.actor.userId, session: origin.actor.sessionId }))).toEqual(
      [site.under.platformOrg, other.id].map((org) => ({
        type: "applications.allowed", subject: application, data: { user: lea.user, scopes: ["images:read", "openid"] }, orgId: fromTypeId("org", org), by: fromTypeId("usr", lea.user), session,
      })),
    );
  });

  test("has nothing where the event cannot be appended", async () => {
    const visitor = browser(http);
    await visitor.signIn(who.name, who.password);
    const page = await consent(visitor, authorization());
    const grants = () => site.under.database.system((db) => db.one<{ n: number }>(sql`select count(*)::int as n from organizations.oidc_payloads where model = 'Grant' and payload ->> 'clientId' = ${application}`));
    const before = await grants();
    vi.spyOn(site.under.events, "push").mockImplementation(() => {
      throw new Error("the log is full");
    });
    const sent = await visitor.post(actionIn(page.text), { csrf: fieldIn(page.text.slice(page.text.indexOf("<main")), "csrf"), decision: "allow" });
    vi.restoreAllMocks();
    expect([sent.status, await grants()]).toEqual([500, before]);
    expect((await answered(visitor, page, "allow")).searchParams.get("code")).toBeTruthy();
  });

  test("keeps nothing when the person refuses", async () => {
    const visitor = browser(http);
    await visitor.signIn(who.name, who.password);
    site.under.events.length = 0;
    const answer = await answered(visitor, await consent(visitor, authorization()), "refuse");
    expect(Object.fromEntries(answer.searchParams)).toMatchObject({ error: "access_denied", state: "abc" });
    expect(site.under.events).toEqual([]);
  });

  test("is asked about each time anew", async () => {
    const { visitor } = await token();
    expect((await consent(visitor, authorization())).text).toContain("Allow Editor");
  });

  test.each<[string, (visitor: Browser) => Promise<unknown>]>([
    ["ends the session from elsewhere", async (visitor) => {
      const cookie = { session: visitor.jar.get("qinfra") as string, csrf: true };
      const { items } = await site.under.call<{ items: { id: string; current: boolean }[] }>("sessions.list", {}, { cookie });
      const elsewhere = await site.under.signIn(who.name, who.password);
      return site.under.call("sessions.delete", { id: items.find((item) => item.current)?.id }, { authorization: elsewhere.authorization as string });
    }],
    ["signs out", async (visitor) => visitor.post("/sign-out", { csrf: await visitor.csrfOf("/") })],
    ["is disabled", async () => site.under.database.system((db) => db.run(sql`update organizations.users set disabled_at = now() where name = ${who.name}`))],
  ])("is out at once when the person %s", async (_how, end) => {
    const { visitor, access } = await token();
    const actor = await site.under.actorOf({ authorization: `Bearer ${access}` });
    expect(actor).toMatchObject({ kind: "api-key" });
    expect(await again(actor)).toMatchObject({ kind: "api-key", ai: true, permissions: actor.permissions });
    await end(visitor);
    expect(await standing(access)).toBe("unauthenticated");
    expect(await again(actor)).toBeUndefined();
    await site.under.database.system((db) => db.run(sql`update organizations.users set disabled_at = null where name = ${who.name}`));
  });

  test("acts for nobody who must have a second factor and has none", async () => {
    const [auditor, before] = [await site.person("una", "auditor"), who];
    who = auditor;
    const { visitor, access } = await token({ scope: "openid audit:read" });
    who = before;
    const review = () => site.under.outcomeOf("access.review", {}, { authorization: `Bearer ${access}` });
    expect(await review()).toBe("ok");
    await site.under.call("organizations.set-settings", { id: site.under.platformOrg, version: 0, settings: { secondFactor: { roles: ["auditor"] } } }, { authorization: admin.authorization });
    expect(await review()).toBe("policy-denied");
    // with the session in which it was allowed confirmed, it goes on
    const session = await site.under.actorOf({ cookie: { session: visitor.jar.get("qinfra") as string, csrf: true } });
    await site.under.database.system((db) => db.run(sql`update organizations.sessions set second_factor = true where id = ${session.sessionId ?? ""}`));
    expect(await review()).toBe("ok");
    await site.under.call("organizations.set-settings", { id: site.under.platformOrg, version: 1, settings: {} }, { authorization: admin.authorization });
  });

  test("is not told the address of a person who did not allow that", async () => {
    await site.under.database.system((db) => db.run(sql`update organizations.users set email = 'joan@example.com' where name = ${who.name}`));
    const { visitor, access } = await token();
    const me = await site.under.call<{ user: object }>("users.me", {}, { authorization: `Bearer ${access}` });
    expect(me.user).toEqual({ id: who.user, name: who.name, displayName: expect.any(String) });
    expect(await site.under.call("users.me", {}, { cookie: { session: visitor.jar.get("qinfra") as string, csrf: true } })).toMatchObject({ user: { email: "joan@example.com" } });
  });

  test("is allowed by a person who is told of every organization in which it may act", async () => {
    const other = await site.under.organization({ authorization: admin.authorization }, "second-home");
    const ken = await site.person("ken", "viewer");
    await site.under.call("members.add", { name: ken.name, role: "viewer" }, other.credentials);
    const visitor = browser(http);
    await visitor.signIn(ken.name, ken.password);
    expect((await consent(visitor, authorization())).text).toContain("in Platform and second-home");
  });

  test("ends its own token", async () => {
    const { access } = await token();
    expect((await form("/oidc/token/revocation", { client_id: application, token: access })).status).toBe(200);
    expect(await standing(access)).toBe("unauthenticated");
  });

  test("is out with all that it had when it is taken away, and is known no more", async () => {
    const other = await site.under.call<{ id: string }>("applications.create", { name: "Gone", redirectUris: ["http://127.0.0.1/callback"] }, { authorization: admin.authorization });
    const { access } = await token();
    const { access: theirs } = await token({ client_id: other.id });
    await site.under.call("applications.delete", { id: other.id }, { authorization: admin.authorization });
    expect(await standing(theirs)).toBe("unauthenticated");
    expect((await browser(http).get(authorization({ client_id: other.id }).url)).status).toBe(400);
    expect(await standing(access)).toMatchObject({ kind: "api-key" });
    expect(await site.under.outcomeOf("applications.delete", { id: other.id }, { authorization: admin.authorization })).toBe("application-not-found");
  });

  test("renews its token while the session lasts, once with each refresh token", async () => {
    const { body } = await token();
    const refresh = (refreshToken: string) => form("/oidc/token", { client_id: application, grant_type: "refresh_token", refresh_token: refreshToken });
    const { body: second } = await refresh(body["refresh_token"] as string);
    expect(await standing(second["access_token"] as string)).toMatchObject({ permissions: ["images:read", "assets:write"] });
    expect((await refresh(body["refresh_token"] as string)).body["error"]).toBe("invalid_grant");
    expect(await standing(second["access_token"] as string)).toBe("unauthenticated");
    expect((await refresh(second["refresh_token"] as string)).body["error"]).toBe("invalid_grant");
  });
});

describe("what is asked for amiss is refused", () => {
  test.each<[string, Record<string, string | undefined>, string]>([
    ["without PKCE", { code_challenge: undefined, code_challenge_method: undefined }, "invalid_request"],
    ["with PKCE in the open", { code_challenge_method: "plain" }, "invalid_request"],
    ["for a token in the address", { response_type: "token" }, "unsupported_response_type"],
    ["for another resource", { resource: "https://elsewhere.example" }, "invalid_target"],
  ])("%s", async (_case, more, error) => {
    const answer = await browser(http).get(authorization(more).url);
    expect(new URL(answer.location as string).searchParams.get("error") ?? new URL((answer.location as string).replace("#", "?")).searchParams.get("error")).toBe(error);
  });

  test("for an answer to another address, which is not led to", async () => {
    const answer = await browser(http).get(authorization({ redirect_uri: "https://evil.example/callback" }).url);
    expect([answer.status, answer.location]).toEqual([400, undefined]);
    expect(answer.text).toContain("invalid_redirect_uri");
  });

  test("a code that is given twice, and what was given for it ends", async () => {
    const visitor = browser(http);
    await visitor.signIn(who.name, who.password);
    const asked = authorization();
    const code = (await answered(visitor, await consent(visitor, asked), "allow")).searchParams.get("code") as string;
    const both = await Promise.all([exchange(code, asked.verifier), exchange(code, asked.verifier)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
    const access = both.find(({ status }) => status === 200)?.body["access_token"] as string;
    expect((await exchange(code, asked.verifier)).body["error"]).toBe("invalid_grant");
    expect(await standing(access)).toBe("unauthenticated");
  });

  test("a code with another verifier", async () => {
    const visitor = browser(http);
    await visitor.signIn(who.name, who.password);
    const code = (await answered(visitor, await consent(visitor, authorization()), "allow")).searchParams.get("code") as string;
    expect((await exchange(code, randomBytes(32).toString("base64url"))).body["error"]).toBe("invalid_grant");
  });

  test("permissions by which it could give itself more", async () => {
    const { access } = await token({ scope: "openid images:read members:write api-keys:write platform:feeds platform:*" });
    expect(await standing(access)).toMatchObject({ permissions: ["images:read"] });
  });

  test("a consent that another page sends", async () => {
    const visitor = browser(http);
    await visitor.signIn(who.name, who.password);
    const page = await consent(visitor, authorization());
    const forged = await visitor.post(actionIn(page.text), { csrf: "", decision: "allow" });
    expect(forged.status).toBe(403);
    expect((await browser(http).post(actionIn(page.text), { csrf: "", decision: "allow" })).status).toBe(410);
  });

  test.each([
    ["http://example.com/callback"], ["https://example.com/#fragment"], ["https://user:pass@example.com/"], ["javascript:alert(1)"], ["myapp:/callback"], ["not an address"], ["data:text/html,x"],
  ])("an application whose answers go to %s", async (uri) => {
    expect(await site.under.outcomeOf("applications.create", { name: "Bad", redirectUris: [uri] }, { authorization: admin.authorization })).toBe("invalid-input");
  });
});

describe("programs find out", () => {
  test("who lets them in, as MCP asks it", async () => {
    const resource = (await http.inject({ url: "/.well-known/oauth-protected-resource/mcp" })).json<Record<string, unknown>>();
    expect(resource).toMatchObject({ resource: "http://qinfra.example/mcp", authorization_servers: ["http://qinfra.example/oidc"], scopes_supported: expect.arrayContaining(["images:read"]) });
    expect(resource["scopes_supported"]).not.toEqual(expect.arrayContaining(["members:write"]));
    for (const url of ["/.well-known/oauth-authorization-server/oidc", "/.well-known/openid-configuration/oidc", "/oidc/.well-known/openid-configuration"]) {
      const metadata = (await http.inject({ url, headers: { host: "elsewhere.example", "x-forwarded-host": "evil.example" } })).json<Record<string, unknown>>();
      expect(metadata).toMatchObject({
        issuer: "http://qinfra.example/oidc", authorization_endpoint: "http://qinfra.example/oidc/auth", token_endpoint: "http://qinfra.example/oidc/token",
        device_authorization_endpoint: "http://qinfra.example/oidc/device/auth", code_challenge_methods_supported: ["S256"], response_types_supported: ["code"],
      });
      expect(metadata["registration_endpoint"]).toBeUndefined();
      // Every endpoint that is named answers.
      for (const [name, endpoint] of Object.entries(metadata).filter(([name]) => name.endsWith("_endpoint") || name === "jwks_uri")) {
        const answers = await Promise.all((["GET", "POST"] as const).map(async (method) => (await http.inject({ method, url: new URL(String(endpoint)).pathname })).statusCode));
        expect([name, answers.some((status) => status !== 404)]).toEqual([name, true]);
      }
    }
  });
});

describe("the database", () => {
  test("holds neither tokens nor the values of cookies", async () => {
    const { visitor, body, access } = await token();
    const { text } = await site.under.database.system((db) => db.one<{ text: string }>(sql`select string_agg(p::text, ' ') as text from organizations.oidc_payloads p`));
    expect(text).toContain(who.user);
    for (const secret of [access, body["refresh_token"], visitor.jar.get("qinfra-oidc"), visitor.jar.get("qinfra")]) expect(text.includes(secret as string)).toBe(false);
  });
});

import type { FastifyInstance } from "fastify";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { sql } from "../platform/database/sql.ts";
import { createMemoryLimits } from "../platform/limits/index.ts";
import { createRateLimiter } from "../platform/operation/rate-limiter.ts";
import type { Identity } from "./identity.ts";
import { actionIn, browser, fieldIn, type Browser, type PageAnswer } from "./testing-browser.ts";
import { signInUnderTest, type SignInUnderTest } from "./testing-site.ts";

let site: SignInUnderTest;
let http: FastifyInstance;
let identity: Identity;
let who: { user: string; name: string; password: string };

beforeAll(async () => {
  site = await signInUnderTest();
  ({ http, identity } = await site.serve("http://qinfra.example"));
  who = await site.person("ada", "operator");
});
afterAll(() => site.close());
afterEach(() => void vi.restoreAllMocks());

/** The password form, sent; what comes back first. */
async function sent(visitor: Browser, form: PageAnswer, password = who.password): Promise<PageAnswer> {
  return visitor.post(actionIn(form.text), { csrf: fieldIn(form.text, "csrf"), name: who.name, password });
}

/** The answer to the server's own question, on its way back in the browser. */
async function callbackOf(visitor: Browser): Promise<string> {
  const resumed = await visitor.get((await sent(visitor, await visitor.signInForm())).location as string);
  return (resumed.location as string).replace("http://qinfra.example", "");
}

function changed(callback: string, change: (query: URLSearchParams) => void): string {
  const url = new URL(callback, "http://qinfra.example");
  change(url.searchParams);
  return `${url.pathname}${url.search}`;
}

describe("the server asks its own provider", () => {
  test("with a code, PKCE, state and nonce, and keeps them in this browser alone", async () => {
    const visitor = browser(http);
    const asked = await visitor.get("/auth/login?next=/docs");
    const url = new URL(asked.location as string, "http://qinfra.example");
    expect(url.pathname).toBe("/oidc/auth");
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: "qinfra-browser", response_type: "code", redirect_uri: "http://qinfra.example/auth/callback", prompt: "login", code_challenge_method: "S256",
      code_challenge: expect.stringMatching(/^[\w-]{43}$/), state: expect.stringMatching(/^[\w-]{43}$/), nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(asked.setCookies).toEqual([expect.stringMatching(/^qinfra-flow-[\w-]{16}=[\w-]+\.[\w-]{43}; Max-Age=3600; Path=\/auth\/callback; HttpOnly; SameSite=Lax$/)]);
  });

  test("and asks for the password each time", async () => {
    const visitor = browser(http);
    await visitor.signIn(who.name, who.password);
    expect((await visitor.follow(await visitor.get("/auth/login"))).text).toContain('name="password"');
  });

  test.each<[string, (callback: string, visitor: Browser) => string | Promise<string>]>([
    ["it was given before", async (callback, visitor) => {
      expect((await visitor.get(callback)).status).toBe(303);
      visitor.jar.delete("qinfra");
      return callback;
    }],
    ["its state is another's", (callback) => changed(callback, (query) => query.set("state", "x".repeat(43)))],
    ["it has no state", (callback) => changed(callback, (query) => query.delete("state"))],
    ["its code was changed", (callback) => changed(callback, (query) => query.set("code", "x".repeat(43)))],
    ["its issuer is another", (callback) => changed(callback, (query) => query.set("iss", "https://evil.example"))],
    ["it names no issuer", (callback) => changed(callback, (query) => query.delete("iss"))],
    ["it comes to another browser", (callback, visitor) => {
      visitor.jar.clear();
      return callback;
    }],
  ])("given an answer of which %s, then nobody is signed in", async (_case, prepare) => {
    const visitor = browser(http);
    const callback = await prepare(await callbackOf(visitor), visitor);
    const answer = await visitor.get(callback);
    expect([answer.status, visitor.jar.has("qinfra")]).toEqual([400, false]);
    expect(answer.text).toContain("sign-in-unfinished");
  });

  test("given that somebody else's answer is put into a browser that asks as well, then nobody is signed in (login CSRF)", async () => {
    const [attacker, victim] = [browser(http), browser(http)];
    const theirs = new URL(await callbackOf(attacker), "http://qinfra.example");
    const own = new URL((await victim.get("/auth/login")).location as string, "http://qinfra.example");
    const mixed = changed("/auth/callback", (query) => {
      query.set("code", theirs.searchParams.get("code") as string);
      query.set("iss", theirs.searchParams.get("iss") as string);
      query.set("state", own.searchParams.get("state") as string);
    });
    expect((await victim.get(mixed)).status).toBe(400);
    expect(victim.jar.has("qinfra")).toBe(false);
  });

  test("given an ID token for another question, then its nonce gives it away", async () => {
    const visitor = browser(http);
    const callback = await callbackOf(visitor);
    const name = visitor.jar.names().find((cookie) => cookie.startsWith("qinfra-flow-")) as string;
    const [text = ""] = (visitor.jar.get(name) as string).split(".");
    const { signedValue } = await import("../platform/identity/signed-value.ts");
    const kept = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Record<string, unknown>;
    visitor.jar.set(name, signedValue({ ...kept, nonce: "x".repeat(43) }, identity.flowKey), "/auth/callback");
    expect((await visitor.get(callback)).status).toBe(400);
    // and a cookie that is changed without the key counts for nothing
    visitor.jar.set(name, `${text}.${"x".repeat(43)}`, "/auth/callback");
    expect((await visitor.get(callback)).status).toBe(400);
  });

  test("given an issuer that nobody named, then there is no way there", async () => {
    const answer = await browser(http).get(`/auth/login?issuer=${encodeURIComponent("https://evil.example")}`);
    expect([answer.status, answer.text.includes("issuer-unknown")]).toEqual([404, true]);
  });
});

describe("a session of a browser", () => {
  test("is another one after each sign-in, and the one before is over", async () => {
    const visitor = browser(http);
    await visitor.signIn(who.name, who.password);
    const [session, providers] = [visitor.jar.get("qinfra") as string, visitor.jar.get("qinfra-oidc") as string];
    await visitor.follow(await sent(visitor, await visitor.follow(await visitor.get("/auth/login"))));
    expect(visitor.jar.get("qinfra")).not.toBe(session);
    expect(visitor.jar.get("qinfra-oidc")).not.toBe(providers);
    const before = browser(http);
    before.jar.set("qinfra", session);
    expect((await before.get("/")).location).toBe("/sign-in");
  });

  test("that was planted before signing in is not the one that is signed in (session fixation)", async () => {
    const visitor = browser(http);
    visitor.jar.set("qinfra", `qis_${"a".repeat(52)}`);
    visitor.jar.set("qinfra-oidc", "planted");
    await visitor.signIn(who.name, who.password);
    expect([visitor.jar.get("qinfra"), visitor.jar.get("qinfra-oidc")]).not.toContain("planted");
    expect(visitor.jar.get("qinfra")).not.toBe(`qis_${"a".repeat(52)}`);
  });

  test("ends by signing out also where the password was a one-time password", async () => {
    const { authorization } = await site.administrator();
    const made = await site.under.call<{ oneTimePassword: string }>("members.add", { name: "otto", role: "viewer" }, { authorization });
    const visitor = browser(http);
    expect((await visitor.signIn("otto", made.oneTimePassword)).location).toBe("/set-password");
    const token = visitor.jar.get("qinfra") as string;
    const page = await visitor.get("/set-password");
    const signOut = page.text.slice(page.text.indexOf('action="/sign-out"'));
    expect(await visitor.post("/sign-out", { csrf: fieldIn(signOut, "csrf") })).toMatchObject({ status: 303, location: "/signed-out" });
    expect(visitor.jar.has("qinfra")).toBe(false);
    expect((await site.under.actorOf({ cookie: { session: token, csrf: true } })).kind).toBe("anonymous");
  });

  test("is listed, and ends with its provider's session when it is signed out", async () => {
    const visitor = browser(http);
    await visitor.signIn(who.name, who.password);
    const cookie = visitor.jar.get("qinfra") as string;
    const listed = await site.under.call<{ items: { door: string; current: boolean }[] }>("sessions.list", {}, { cookie: { session: cookie, csrf: true } });
    expect(listed.items.find((item) => item.current)?.door).toBe("browser");
    const sessions = () => site.under.database.system((db) => db.many(sql`select id from organizations.oidc_payloads where model = 'Session' and payload ->> 'accountId' = ${who.user}`));
    const before = (await sessions()).length;
    await visitor.post("/sign-out", { csrf: await visitor.csrfOf("/") });
    expect((await sessions()).length).toBe(before - 1);
    expect(visitor.jar.names().filter((name) => name !== "qinfra-form")).toEqual([]);
  });
});

describe("the sign-in page", () => {
  test("given another name of the host, then it leads to the platform's own", async () => {
    const stranger = browser(http, { host: "elsewhere.example" });
    expect(await stranger.get("/sign-in?next=/docs")).toMatchObject({ status: 303, location: "http://qinfra.example/sign-in?next=%2Fdocs" });
    expect((await stranger.get("/auth/login")).location).toBe("/sign-in");
  });

  test.each(["127.0.0.1:8080", "localhost:8080", "[::1]:8080"])("given this machine by the name %s, then one signs in under that", async (host) => {
    const { http: own } = await site.serve("http://127.0.0.1:8080");
    const visitor = browser(own, { host });
    expect(await visitor.signIn(who.name, who.password, "/docs")).toMatchObject({ status: 303, location: "/docs" });
    expect(visitor.jar.has("qinfra")).toBe(true);
    // also with a browser that names its origin instead of saying that it is ours
    const older = browser(own, { host });
    const form = await older.signInForm();
    expect((await older.post(actionIn(form.text), { csrf: fieldIn(form.text, "csrf"), name: who.name, password: who.password }, { origin: `http://${host}` })).status).toBe(303);
  });

  test("given a server that calls itself by its own machine's name and a visitor from elsewhere, then it says what to set", async () => {
    const { http: own } = await site.serve("http://127.0.0.1:8080");
    const answer = await browser(own, { host: "server.example:8080" }).get("/sign-in");
    expect([answer.status, answer.text.includes("PUBLIC_URL")]).toEqual([421, true]);
  });

  test("given that it was left open for more than an hour, then it begins anew", async () => {
    const visitor = browser(http);
    const form = await visitor.signInForm();
    await site.under.database.system((db) => db.run(sql`update organizations.oidc_payloads set expires_at = '2000-01-01' where model = 'Interaction'`));
    expect(await sent(visitor, form)).toMatchObject({ status: 303, location: "/sign-in" });
    expect((await visitor.signIn(who.name, who.password)).status).toBe(303);
  });

  test("given wrong passwords from one network, then its owner still gets in from another", async () => {
    const attacker = browser(http, { address: "203.0.113.66" });
    for (let i = 0; i < 10; i += 1) expect((await attacker.signIn(who.name, "wrong")).status).toBe(401);
    expect((await attacker.signIn(who.name, who.password)).status).toBe(429);
    expect(await browser(http, { address: "198.51.100.20" }).signIn(who.name, who.password)).toMatchObject({ status: 303, location: "/" });
  });

  test("given answers that nobody waits for from one address, then people at others are signed in all the same", async () => {
    const { take } = createRateLimiter(createMemoryLimits({ now: () => 0 }), { actor: 50, address: 5 });
    vi.spyOn(site.under.services.limiter, "take").mockImplementation(take);
    const attacker = browser(http, { address: "203.0.113.67" });
    const statuses = new Set<number>();
    for (let i = 0; i < 25; i += 1) {
      const { location } = await attacker.get("/auth/login");
      const state = location === undefined ? "none" : new URL(location, "http://qinfra.example").searchParams.get("state") as string;
      statuses.add((await attacker.get(`/auth/callback?${new URLSearchParams({ code: "x".repeat(43), state, iss: "http://qinfra.example/oidc" }).toString()}`)).status);
    }
    expect(await browser(http, { address: "198.51.100.21" }).signIn(who.name, who.password)).toMatchObject({ status: 303, location: "/" });
    expect([...statuses]).toEqual([400, 429]);
  });

  test("given a wrong code after the right password, then it is counted among the refusals of strangers", async () => {
    const { name, password } = await site.person("edda", "viewer");
    await site.under.database.system((db) => db.run(sql`
      insert into organizations.totp (user_id, secret, confirmed_at, created_at) select id, 'test:GEZDGNBVGY3TQOJQGEZDGNBVGY3T', now(), now() from organizations.users where name = ${name}`));
    const visitor = browser(http, { address: "198.51.100.22" });
    const asked = await visitor.signIn(name, password);
    const note = vi.spyOn(site.under.services.strangers, "note");
    const answer = await visitor.post(actionIn(asked.text), { csrf: fieldIn(asked.text, "csrf"), code: "000000" });
    expect([answer.status, note.mock.calls]).toEqual([403, [["198.51.100.22", "sign-in"]]]);
  });

  test("given that passwords are not asked for, then it shows the other issuers, and takes no password", async () => {
    const issuers = [{ issuer: "https://sso.example/realm", audience: "api", algorithms: ["RS256"], jwksUrl: "https://sso.example/keys", label: "Example SSO", client: { id: "qinfra" } }];
    const { http: own } = await site.serve("http://qinfra.example", { LOCAL_SIGN_IN: "off", JWT_ISSUERS: JSON.stringify(issuers) });
    const page = await browser(own).get("/sign-in?next=/docs");
    expect(page.status).toBe(200);
    expect(page.text).toContain('href="/auth/login?issuer=https%3A%2F%2Fsso.example%2Frealm&amp;next=%2Fdocs">Sign in with Example SSO');
    expect(page.text).not.toContain("password");
    expect((await browser(own).get("/auth/login")).status).toBe(404);
    // a form of the provider itself is refused as well
    const visitor = browser(http);
    const form = await visitor.signInForm();
    const refused = await own.inject({
      method: "POST", url: actionIn(form.text), headers: { host: "qinfra.example", "content-type": "application/x-www-form-urlencoded" }, cookies: Object.fromEntries(visitor.jar.names().map((name) => [name, visitor.jar.get(name) as string])),
      payload: new URLSearchParams({ csrf: fieldIn(form.text, "csrf"), name: who.name, password: who.password }).toString(),
    });
    expect([refused.statusCode, refused.body.includes("Passwords are not asked for here")]).toEqual([400, true]);
  });
});

describe("what the provider signs", () => {
  test("is signed by the newest key soon after a rotation; the one before still verifies", async () => {
    const before = await identity.keys.current();
    const { keyId } = await identity.keys.rotate();
    expect(await browser(http).signIn(who.name, who.password)).toMatchObject({ status: 303, location: "/" });
    const { keys } = (await http.inject({ url: "/oidc/jwks" })).json<{ keys: { kid: string; d?: string }[] }>();
    expect(keys.map((key) => [key.kid, key.d])).toEqual([[keyId, undefined], ...before.keys.map((key) => [key.kid, undefined])]);
  });
});

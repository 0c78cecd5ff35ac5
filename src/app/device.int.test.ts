import type { FastifyInstance } from "fastify";
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sql } from "../platform/database/sql.ts";
import { actionIn, browser, fieldIn, type Browser, type PageAnswer } from "./testing-browser.ts";
import { signInUnderTest, type SignInUnderTest } from "./testing-site.ts";

let site: SignInUnderTest;
let http: FastifyInstance;
let who: { user: string; name: string; password: string };
let visitor: Browser;

beforeAll(async () => {
  site = await signInUnderTest();
  ({ http } = await site.serve("http://qinfra.example"));
  who = await site.person("grace", "operator");
});
afterAll(() => site.close());
beforeEach(() => {
  visitor = browser(http);
});

async function form(url: string, fields: Record<string, string>): Promise<{ status: number; body: Record<string, string> }> {
  const answer = await http.inject({
    method: "POST", url, remoteAddress: "203.0.113.5", payload: new URLSearchParams(fields).toString(),
    headers: { host: "elsewhere.example", "content-type": "application/x-www-form-urlencoded", "user-agent": "qinfra/1 <b>", "x-forwarded-for": "192.0.2.200" },
  });
  return { status: answer.statusCode, body: answer.json() };
}

const begin = () => form("/oidc/device/auth", { client_id: "qinfra-cli", scope: "openid" });
const poll = (code: string) => form("/oidc/token", { client_id: "qinfra-cli", grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: code });

/** The page that asks whether it is the person's device. */
async function confirmation(userCode: string): Promise<PageAnswer> {
  const page = await visitor.follow(await visitor.get(`/device?user_code=${userCode}`));
  return visitor.post(actionIn(page.text), { xsrf: fieldIn(page.text, "xsrf"), user_code: fieldIn(page.text, "user_code") });
}

async function decide(page: PageAnswer, more: Record<string, string> = {}): Promise<PageAnswer> {
  const { text } = page;
  return visitor.follow(await visitor.post(actionIn(text), { xsrf: fieldIn(text, "xsrf"), user_code: fieldIn(text, "user_code"), confirm: "yes", ...more }));
}

describe("a device", () => {
  test("is signed in by the person who is, and by nobody before that", async () => {
    // given a device that asks, whatever name and address it says it has
    const { body: asked } = await begin();
    expect(asked).toMatchObject({
      user_code: expect.stringMatching(/^[B-Z]{4}-[B-Z]{4}$/), verification_uri: "http://qinfra.example/device", verification_uri_complete: `http://qinfra.example/device?user_code=${asked["user_code"]}`,
      expires_in: 600, interval: 5,
    });
    expect((await poll(asked["device_code"] as string)).body["error"]).toBe("authorization_pending");

    // when the person compares the code, confirms, and signs in
    const page = await confirmation(asked["user_code"] as string);
    expect(page.text).toContain(asked["user_code"]);
    expect(page.text).toContain("203.0.113.5");
    expect(page.text).toContain("qinfra/1 &lt;b&gt;");
    const asksForPassword = await decide(page);
    expect(asksForPassword.text).toContain('name="password"');
    expect(asksForPassword.text).not.toContain("npm run up");
    const done = await visitor.follow(await visitor.post(actionIn(asksForPassword.text), { csrf: fieldIn(asksForPassword.text, "csrf"), name: who.name, password: who.password }));
    expect([done.status, done.text.includes("is signed in as you")]).toEqual([200, true]);

    // then the device has an ID token, once, which begins a session
    site.under.clock.advance(6_000);
    const { body: tokens } = await poll(asked["device_code"] as string);
    const keys = (await http.inject({ url: "/oidc/jwks" })).json<JSONWebKeySet>();
    const { payload } = await jwtVerify(tokens["id_token"] as string, createLocalJWKSet(keys), { issuer: "http://qinfra.example/oidc", audience: "qinfra-cli", algorithms: ["ES256"] });
    expect(payload).toMatchObject({ sub: who.user, auth_time: expect.any(Number) });
    expect(payload["acr"]).toBeUndefined();
    expect((await poll(asked["device_code"] as string)).body["error"]).toBe("invalid_grant");
    const session = await site.under.call<{ token: string }>("sessions.exchange", { idToken: tokens["id_token"], door: "cli" });
    expect((await site.under.actorOf({ authorization: `Bearer ${session.token}` })).userId).toBeDefined();
    expect(await site.under.outcomeOf("sessions.exchange", { idToken: tokens["id_token"], door: "cli" })).toBe("id-token-refused");
  });

  test("is signed in without a password where the browser has a session", async () => {
    await visitor.signIn(who.name, who.password);
    const { body: asked } = await begin();
    expect((await decide(await confirmation(asked["user_code"] as string))).text).toContain("is signed in as you");
    expect((await poll(asked["device_code"] as string)).body["id_token"]).toBeDefined();
  });

  /** A token for a device, allowed in a browser that is signed in. */
  async function idToken(): Promise<string> {
    const { body: asked } = await begin();
    await decide(await confirmation(asked["user_code"] as string));
    return (await poll(asked["device_code"] as string)).body["id_token"] as string;
  }

  test("makes no old sign-in a fresh one, by which a stolen session could add a second factor", async () => {
    await visitor.signIn(who.name, who.password);
    await site.under.database.system((db) => db.run(sql`update organizations.sessions set created_at = created_at - interval '11 minutes'`));
    const { token } = await site.under.call<{ token: string }>("sessions.exchange", { idToken: await idToken() });
    expect(await site.under.outcomeOf("second-factors.add-totp", {}, { authorization: `Bearer ${token}` })).toBe("sign-in-again");
    expect(await site.under.outcomeOf("second-factors.add-totp", { currentPassword: who.password }, { authorization: `Bearer ${token}` })).toBe("ok");
  });

  test.each<[string, () => Promise<unknown>]>([
    ["ended", async () => visitor.post("/sign-out", { csrf: await visitor.csrfOf("/") })],
    ["was ended by a new password", async () => {
      const elsewhere = await site.under.signIn(who.name, who.password);
      const newPassword = `${who.password} again`;
      await site.under.call("users.set-password", { currentPassword: who.password, newPassword }, { authorization: elsewhere.authorization as string });
      who = { ...who, password: newPassword };
    }],
  ])("is not signed in on the word of a session that %s meanwhile", async (_how, end) => {
    await visitor.signIn(who.name, who.password);
    const given = await idToken();
    await end();
    expect(await site.under.outcomeOf("sessions.exchange", { idToken: given })).toBe("id-token-refused");
  });

  test("is signed in on the word of a session in which the password was changed", async () => {
    await visitor.signIn(who.name, who.password);
    const newPassword = `${who.password} anew`;
    await site.under.call("users.set-password", { currentPassword: who.password, newPassword }, { cookie: { session: visitor.jar.get("qinfra") as string, csrf: true } });
    who = { ...who, password: newPassword };
    expect(await site.under.outcomeOf("sessions.exchange", { idToken: await idToken() })).toBe("ok");
  });

  test("is told that the person refused", async () => {
    await visitor.signIn(who.name, who.password);
    const { body: asked } = await begin();
    expect((await decide(await confirmation(asked["user_code"] as string), { abort: "yes" })).text).toContain("Refused");
    expect((await poll(asked["device_code"] as string)).body["error"]).toBe("access_denied");
  });

  test("is told to slow down when it asks too often, and each time for longer", async () => {
    const { body: asked } = await begin();
    const answers: unknown[] = [];
    for (const wait of [0, 1_000, 6_000, 10_000]) {
      site.under.clock.advance(wait);
      answers.push((await poll(asked["device_code"] as string)).body["error"]);
    }
    expect(answers).toEqual(["authorization_pending", "slow_down", "slow_down", "slow_down"]);
    site.under.clock.advance(21_000);
    expect((await poll(asked["device_code"] as string)).body["error"]).toBe("authorization_pending");
  });

  test("is told that its time is over", async () => {
    const { body: asked } = await begin();
    await site.under.database.system((db) => db.run(sql`
      update organizations.oidc_payloads set payload = jsonb_set(payload, '{exp}', to_jsonb(extract(epoch from now())::bigint - 1)) where model = 'DeviceCode' and consumed_at is null`));
    expect((await poll(asked["device_code"] as string)).body["error"]).toBe("expired_token");
    const page = await confirmation(asked["user_code"] as string);
    expect([page.status, page.text.includes("older than ten minutes")]).toEqual([400, true]);
  });

  test.each([["", "Give the code"], ["BCDF-GHJK", "There is no such code"], ["<script>", "There is no such code"]])("given %j instead of its code, then the page says so", async (code, says) => {
    const page = await visitor.follow(await visitor.get("/device"));
    const answer = await visitor.post(actionIn(page.text), { xsrf: fieldIn(page.text, "xsrf"), user_code: code });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(says);
    expect(answer.text).not.toContain("<script>");
  });

  test("is not signed in by a form of another site", async () => {
    await visitor.signIn(who.name, who.password);
    const { body: asked } = await begin();
    const page = await confirmation(asked["user_code"] as string);
    const forged = await visitor.post(actionIn(page.text), { xsrf: "x".repeat(48), user_code: fieldIn(page.text, "user_code"), confirm: "yes" });
    expect(forged.status).toBe(400);
    expect((await poll(asked["device_code"] as string)).body["error"]).toBe("authorization_pending");
  });

  test("whose code was confirmed once takes no other answer", async () => {
    await visitor.signIn(who.name, who.password);
    const { body: asked } = await begin();
    const page = await confirmation(asked["user_code"] as string);
    await decide(page);
    expect((await confirmation(asked["user_code"] as string)).text).toContain("was used before");
  });

  test("of a client that nobody knows is refused", async () => {
    expect(await form("/oidc/device/auth", { client_id: "nobody", scope: "openid" })).toMatchObject({ status: 401, body: { error: "invalid_client" } });
  });
});

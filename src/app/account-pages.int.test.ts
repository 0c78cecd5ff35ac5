import { TOTP } from "otpauth";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { simulatedAuthenticator } from "../modules/organizations/testing/authenticator.ts";
import { browser, fieldIn, type Browser, type PageAnswer } from "./testing-browser.ts";
import { testPlatform, type TestPlatform } from "./testing.ts";

const host = "localhost:8080";
const at = { origin: `http://${host}`, rpId: "localhost" };
const password = "a password of their own";

let platform: TestPlatform;
let serial = 0;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.close());

const now = () => platform.platform.services.clock.now();

/** Somebody new, signed in with a browser. */
async function somebody(role = "operator", as: "platform-admin" | "admin" = "admin"): Promise<{ visitor: Browser; name: string; id: string }> {
  const name = `visitor${++serial}`;
  const made = await platform.call("members.add", { as, input: { name, role } });
  const { oneTimePassword, user } = made.body as { oneTimePassword: string; user: string };
  const visitor = newBrowser();
  const once = await visitor.signIn(name, oneTimePassword);
  expect(once.location).toBe("/set-password");
  await visitor.post("/set-password", { csrf: await visitor.csrfOf("/set-password"), current: oneTimePassword, new: password, again: password });
  return { visitor, name, id: user };
}

const newBrowser = () => browser(platform.http, { host, address: `198.51.100.${++serial}` });
const csrfOf = (answer: PageAnswer) => fieldIn(answer.text, "csrf");
const optionsIn = (text: string) => JSON.parse((/data-options="([^"]+)"/.exec(text)?.[1] ?? "").replaceAll("&quot;", '"').replaceAll("&amp;", "&")) as { challenge: string };
const codesIn = (text: string) => [...text.matchAll(/<li>([0-9a-z]{5}(?:-[0-9a-z]{5}){3})<\/li>/g)].map((match) => match[1] as string);
const codeOf = (secret: string, steps = 0) => TOTP.generate({ secret: new TOTP({ secret }).secret, timestamp: now() + steps * 30_000 });

/** With an authenticator app, whose first code was the one of half a minute ago. */
async function withTotp(visitor: Browser): Promise<{ secret: string; codes: string[] }> {
  const begun = await visitor.post("/account/totp", { csrf: csrfOf(await visitor.get("/account")) });
  const uri = fieldIn(begun.text, "uri").replaceAll("&amp;", "&");
  const secret = new URL(uri).searchParams.get("secret") ?? "";
  const done = await visitor.post("/account/totp/confirm", { csrf: csrfOf(begun), uri, code: codeOf(secret, -1) });
  expect(done.status).toBe(200);
  return { secret, codes: codesIn(done.text) };
}

describe("/account", () => {
  test("given nobody, then it leads to the sign-in and back", async () => {
    expect(await newBrowser().get("/account")).toMatchObject({ status: 303, location: "/sign-in?next=%2Faccount" });
    expect(await newBrowser().get("/account/confirm?next=/docs")).toMatchObject({ status: 303, location: "/sign-in?next=%2Faccount%2Fconfirm%3Fnext%3D%252Fdocs" });
    expect(await newBrowser().post("/account/totp", { csrf: "x" })).toMatchObject({ status: 303 });
  });

  test("shows who somebody is, their sessions and their keys, and keeps none of it", async () => {
    const { visitor, name } = await somebody();
    const page = await visitor.get("/account");
    expect([page.status, page.headers["cache-control"]]).toEqual([200, "no-store"]);
    expect(page.text).toContain(name);
    expect(page.text).toContain("this one");
    expect(page.text).toContain("You have none."); // keys
    expect(page.text).toContain("recovery codes");
    expect(page.text).not.toContain("<script");
  });

  test("ends another session of one's own by a button", async () => {
    const { visitor, name } = await somebody();
    const elsewhere = newBrowser();
    await elsewhere.signIn(name, password);
    expect((await elsewhere.get("/account")).status).toBe(200);
    const page = await visitor.get("/account");
    const ids = [...page.text.matchAll(/action="\/account\/sessions\/end">.*?name="id" value="(ses_\w+)"/g)].map((match) => match[1] as string);
    for (const id of ids) expect(await visitor.post("/account/sessions/end", { csrf: csrfOf(page), id })).toMatchObject({ status: 303, location: "/account#sessions" });
    expect(await elsewhere.get("/account")).toMatchObject({ status: 303 });
    expect((await visitor.get("/account")).status).toBe(200);
    expect((await visitor.post("/account/sessions/end", { csrf: csrfOf(page), id: ids[0] ?? "" })).text).toContain("You have no such session");
  });

  test.each(["/account/totp", "/account/recovery-codes", "/account/second-factors/remove", "/account/sessions/end", "/account/api-keys/revoke", "/account/passkeys/begin", "/account/confirm"])("%s takes no form of another site", async (path) => {
    const { visitor } = await somebody();
    const csrf = csrfOf(await visitor.get("/account"));
    for (const headers of [{ "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }]) expect((await visitor.post(path, { csrf, id: "totp", code: "123456" }, headers)).status).toBe(403);
    expect((await visitor.post(path, { csrf: "x", id: "totp", code: "123456" })).status).toBe(403);
  });
});

describe("an authenticator app", () => {
  test("given its QR code and first code, then recovery codes are shown once and the next sign-in asks for it", async () => {
    const { visitor, name } = await somebody();
    const begun = await visitor.post("/account/totp", { csrf: csrfOf(await visitor.get("/account")) });
    expect(begun.text).toMatch(/<svg class="qr" role="img" aria-label="[^"]+" viewBox="0 0 \d+ \d+"/);
    const uri = fieldIn(begun.text, "uri").replaceAll("&amp;", "&");
    const secret = new URL(uri).searchParams.get("secret") ?? "";
    const wrong = await visitor.post("/account/totp/confirm", { csrf: csrfOf(begun), uri, code: "12" });
    expect([wrong.status, wrong.text.includes("six digits"), wrong.text.includes("<svg")]).toEqual([400, true, true]);
    const done = await visitor.post("/account/totp/confirm", { csrf: csrfOf(begun), uri, code: codeOf(secret, -1) });
    expect(codesIn(done.text)).toHaveLength(10);
    const account = await visitor.get("/account");
    expect(account.text).toContain("10 recovery codes left");
    expect(codesIn(account.text)).toEqual([]);
    expect(account.text).not.toContain(secret);
    const again = newBrowser();
    expect((await again.signIn(name, password)).text).toContain("Confirm that it is you");
  });

  test("given an address that is not ours, then no code of it is shown", async () => {
    const { visitor } = await somebody();
    const csrf = csrfOf(await visitor.get("/account"));
    const answer = await visitor.post("/account/totp/confirm", { csrf, uri: "https://evil.example/?secret=GEZDGNBVGY3TQOJQ", code: "123456" });
    expect([answer.text.includes("<svg"), answer.text.includes("evil")]).toEqual([false, false]);
  });
});

describe("/account/confirm", () => {
  test("given a code, then it leads on, to this platform only", async () => {
    const { visitor } = await somebody();
    const { secret } = await withTotp(visitor);
    const form = await visitor.get("/account/confirm?next=/docs");
    expect((await visitor.post("/account/confirm", { csrf: csrfOf(form), next: "/docs", code: "000 000" })).status).toBe(403);
    expect(await visitor.post("/account/confirm", { csrf: csrfOf(form), next: "/docs", code: codeOf(secret) })).toMatchObject({ status: 303, location: "/docs" });
    expect(await visitor.post("/account/confirm", { csrf: csrfOf(form), next: "//evil.example", code: codeOf(secret, 1) })).toMatchObject({ status: 303, location: "/" });
    expect((await visitor.get("/account/confirm?next=//evil.example")).text).not.toContain("evil");
  });

  test("given something that asks for it anew, then it leads there first", async () => {
    const { visitor } = await somebody();
    const { secret } = await withTotp(visitor);
    await platform.test.database.system((db) => db.run({ text: "update organizations.sessions set confirmed_at = now() - interval '1 hour' where confirmed_at is not null", values: [] }));
    const csrf = csrfOf(await visitor.get("/account"));
    expect(await visitor.post("/account/second-factors/remove", { csrf, id: "totp" })).toMatchObject({ status: 303, location: "/account/confirm?next=%2Faccount" });
    await visitor.post("/account/confirm", { csrf, next: "/account", code: codeOf(secret) });
    expect(await visitor.post("/account/second-factors/remove", { csrf, id: "totp" })).toMatchObject({ status: 303, location: "/account#second-factors" });
    expect((await visitor.get("/account/confirm")).text).toContain("No second factor");
  });
});

describe("a passkey", () => {
  test("given it was made on the page, then it is listed, and confirms", async () => {
    const { visitor } = await somebody();
    const authenticator = simulatedAuthenticator(at);
    const begun = await visitor.post("/account/passkeys/begin", { csrf: csrfOf(await visitor.get("/account")) });
    expect(begun.headers["content-security-policy"]).toBe("default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; script-src 'self'");
    const script = /<script src="([^"]+)" defer>/.exec(begun.text)?.[1] ?? "";
    expect(await visitor.get(script)).toMatchObject({ status: 200, headers: { "content-type": "text/javascript; charset=utf-8" } });
    const made = await visitor.post("/account/passkeys", { csrf: csrfOf(begun), name: "laptop", passkey: JSON.stringify(authenticator.create(optionsIn(begun.text))) });
    expect(codesIn(made.text)).toHaveLength(10);
    expect((await visitor.get("/account")).text).toContain("laptop");
    const form = await visitor.get("/account/confirm?next=/docs");
    const confirm = (passkey: string) => visitor.post("/account/confirm", { csrf: csrfOf(form), next: "/docs", passkey });
    for (const wrong of ["{", "null", "[]", '{"id":1}', '{"response":{}}']) expect([wrong, Math.floor((await confirm(wrong)).status / 100)]).toEqual([wrong, 4]);
    expect(await confirm(JSON.stringify(authenticator.get(optionsIn(form.text))))).toMatchObject({ status: 303, location: "/docs" });
  });

  test("given a page at an address, then it says at which name passkeys are made", async () => {
    const { name } = await somebody();
    const visitor = browser(platform.http, { host: "127.0.0.1:8080", address: "198.51.100.250" });
    await visitor.signIn(name, password);
    expect((await visitor.get("/account")).text).toContain('href="http://localhost:8080/account"');
  });
});

/** Operations that were refused to the person, as the log has it. */
async function refusalsOf(userId: string): Promise<string[]> {
  const { body } = await platform.call("audit.list", { as: "admin", input: { type: "access.refused", limit: 100 } });
  return (body as { items: { subject: string; data: { operation: string } }[] }).items.filter(({ subject }) => subject === userId).map(({ data }) => data.operation);
}

describe("a role that requires a second factor", () => {
  test("given none, then every page leads to where one is added", async () => {
    const { visitor, id } = await somebody("viewer");
    const set = (settings: string) => platform.test.database.system((db) => db.run({ text: "update organizations.organizations set settings = $1 where id = $2", values: [settings, platform.person("admin").orgId] }));
    await set('{"secondFactor": {"roles": ["viewer"]}}');
    try {
      expect(await visitor.get("/")).toMatchObject({ status: 303, location: "/account?why=second-factor-required" });
      const account = await visitor.get("/account?why=second-factor-required");
      expect([account.status, account.text.includes("requires a second factor"), account.text.includes("does not show API keys")]).toEqual([200, true, true]);
      // A form that is refused for its content shows the page again.
      expect((await visitor.post("/account/sessions/end", { csrf: csrfOf(account), id: "nonsense" })).status).toBe(400);
      expect((await visitor.get("/images/img_01jd0000000000000000000000")).location).toBe("/account?why=second-factor-required");
      // Pages were loaded, and nothing was tried that is refused; then something is.
      expect((await visitor.send({ method: "GET", url: "/api/v1/images" })).status).toBe(403);
      await vi.waitUntil(async () => (await refusalsOf(id)).includes("images.list"), { timeout: 10_000, interval: 50 });
      expect(await refusalsOf(id)).toEqual(["images.list"]);
      await withTotp(visitor);
      expect((await visitor.get("/")).status).toBe(200);
    } finally {
      await set("{}");
    }
    expect(id).toMatch(/^usr_/);
  });
});

describe("/reset", () => {
  test("given a link, then a new password is set without being signed in, and its address goes nowhere", async () => {
    const { visitor, name, id } = await somebody("viewer");
    const made = await platform.call("users.reset-password", { as: "admin", input: { user: id } });
    const path = new URL((made.body as { link: string }).link).pathname;
    const stranger = newBrowser();
    const form = await stranger.get(path);
    expect(form.headers).toMatchObject({ "referrer-policy": "no-referrer", "cache-control": "no-store" });
    expect([form.status, form.text.includes(name), form.text.includes("<script")]).toEqual([200, true, false]);
    const differing = await stranger.post(path, { new: "another password of theirs", again: "another passwort of theirs" });
    expect([differing.status, differing.text.includes("differ"), differing.headers["referrer-policy"]]).toEqual([400, true, "no-referrer"]);
    expect((await stranger.post(path, { new: "another password of theirs", again: "another password of theirs" })).text).toContain("The password is set");
    expect(await visitor.get("/account")).toMatchObject({ status: 303 });
    expect((await stranger.get(path)).status).toBe(410);
    expect((await stranger.post(path, { new: "another password of theirs", again: "another password of theirs" })).status).toBe(410);
    expect((await stranger.signIn(name, "another password of theirs")).status).toBe(303);
    expect((await stranger.get("/reset/nothing")).status).toBe(410);
    expect(platform.errors()).toEqual([]);
  });
});

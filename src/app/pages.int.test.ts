import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { UnderTest } from "../modules/organizations/testing/platform.ts";
import { actionIn, browser, fieldIn, type Browser } from "./testing-browser.ts";
import { signInUnderTest, type SignInUnderTest } from "./testing-site.ts";

const csp = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

let site: SignInUnderTest;
let under: UnderTest;
let plain: FastifyInstance;
let behindTls: FastifyInstance;

beforeAll(async () => {
  site = await signInUnderTest();
  under = site.under;
  plain = (await site.serve("http://qinfra.example")).http;
  behindTls = (await site.serve("https://qinfra.example")).http;
});
afterAll(() => site.close());

const refusals = () => under.events.filter(({ type }) => type === "access.refused").length;
const headerIn = (text: string) => ({ user: /<a href="\/account"><strong>([^<]+)</.exec(text)?.[1], signsOut: text.includes('action="/sign-out"') });

describe("signing in", () => {
  test("from the one-time password to the status page and out again", async () => {
    // given a fresh platform
    const visitor = browser(plain);
    const { name, oneTimePassword } = under.first.unspent as { name: string; oneTimePassword: string };
    expect(await visitor.get("/")).toMatchObject({ status: 303, location: "/sign-in" });

    // when the password is wrong, the form says so and keeps the name
    const wrong = await visitor.signIn(name, "not this one");
    expect(wrong.status).toBe(401);
    expect(wrong.text).toContain("Name and password do not belong together");
    expect(wrong.text).toContain(`value="${name}"`);
    expect(wrong.text).not.toContain("not this one");
    expect(visitor.jar.has("qinfra")).toBe(false);

    // when it is the one-time password, a new one comes first, whatever page is asked for
    expect(await visitor.signIn(name, oneTimePassword, "/docs")).toMatchObject({ status: 303, location: "/set-password?next=%2Fdocs" });
    expect(await visitor.get("/")).toMatchObject({ status: 303, location: "/set-password" });
    for (const path of ["/account", "/account/confirm", "/images/img_01jd0000000000000000000000"]) expect((await visitor.get(path)).location).toMatch(/^\/set-password/);
    for (const path of ["/set-password", "/docs", "/nowhere"]) expect(headerIn((await visitor.get(path)).text), path).toEqual({ user: "Administrator", signsOut: true });
    expect(refusals()).toBe(0); // nobody tried anything
    const csrf = await visitor.csrfOf("/set-password?next=/docs");
    const without = await visitor.post("/set-password", { csrf, current: "", new: "the password of admin", again: "the password of admin", next: "/docs" });
    expect([without.status, without.text.includes("Give the one-time password."), without.text.includes('aria-invalid="true"')]).toEqual([400, true, true]);
    const differing = await visitor.post("/set-password", { csrf, current: oneTimePassword, new: "the password of admin", again: "the passwort of admin", next: "/docs" });
    expect([differing.status, differing.text.includes("its repetition differ")]).toEqual([400, true]);
    const short = await visitor.post("/set-password", { csrf, current: oneTimePassword, new: "short", again: "short", next: "/docs" });
    expect([short.status, short.text.includes("at least 12 characters")]).toEqual([400, true]);
    expect(await visitor.post("/set-password", { csrf, current: oneTimePassword, new: "the password of admin", again: "the password of admin", next: "/docs" })).toMatchObject({ status: 303, location: "/docs" });
    site.administratorHas("the password of admin");

    // then the status page is there, and signing out ends the session itself, not only its cookie
    const status = await visitor.get("/");
    expect(status.status).toBe(200);
    expect(status.text).toContain("Sign out");
    const session = visitor.jar.get("qinfra") as string;
    expect(await visitor.post("/sign-out", { csrf: await visitor.csrfOf("/") })).toMatchObject({ status: 303, location: "/signed-out" });
    expect(visitor.jar.has("qinfra")).toBe(false);
    visitor.jar.set("qinfra", session);
    expect(await visitor.get("/")).toMatchObject({ status: 303, location: "/sign-in" });
  });

  test.each([
    { tls: false, cookie: /^qinfra=[^;]+; Max-Age=(43200|4319\d); Path=\/; HttpOnly; SameSite=Lax$/, form: /^qinfra-form=[^;]+; Path=\/; HttpOnly; SameSite=Strict$/ },
    { tls: true, cookie: /^__Host-qinfra=[^;]+; Max-Age=(43200|4319\d); Path=\/; HttpOnly; Secure; SameSite=Lax$/, form: /^__Host-qinfra-form=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Strict$/ },
  ])("sets its cookies as it must, with TLS: $tls", async ({ tls, cookie, form }) => {
    const { name, password } = await site.person(`cookies-${tls}`, "viewer");
    const visitor = browser(tls ? behindTls : plain);
    expect((await visitor.signInForm()).setCookies).toEqual([expect.stringMatching(form)]);
    visitor.jar.clear();
    const { setCookies } = await visitor.signIn(name, password);
    expect(setCookies).toContainEqual(expect.stringMatching(cookie));
    for (const set of setCookies) expect(set.replace("httponly", "HttpOnly")).toMatch(tls ? /^__(Host|Secure)-[^;]+;.*HttpOnly; Secure; SameSite=Lax$/ : /HttpOnly; SameSite=Lax$/);
    expect(visitor.jar.names().sort()).toEqual((tls ? ["__Host-qinfra", "__Host-qinfra-form", "__Host-qinfra-oidc", "__Host-qinfra-oidc.sig"] : ["qinfra", "qinfra-form", "qinfra-oidc", "qinfra-oidc.sig"]));
  });

  test.each([
    "//evil.example", "/\\evil.example", "https://evil.example", "https:evil.example", "/\t/evil.example", "/.//evil.example", "javascript:alert(1)", "\\\\evil.example", "/a/..//evil.example", "@evil.example",
  ])("does not lead on to %j", async (next) => {
    const who = await known();
    const visitor = browser(plain);
    expect(await visitor.signIn(who.name, who.password, next)).toMatchObject({ status: 303, location: "/" });
    expect((await visitor.get(`/sign-in?next=${encodeURIComponent(next)}`))).toMatchObject({ status: 303, location: "/" });
  });

  test("leads on to a page of its own, also when it was asked for before", async () => {
    const who = await known();
    const visitor = browser(plain);
    const asked = await visitor.get("/images/img_01jd0000000000000000000000?severity=high");
    expect(asked).toMatchObject({ status: 303, location: "/sign-in?next=%2Fimages%2Fimg_01jd0000000000000000000000%3Fseverity%3Dhigh" });
    expect(await visitor.signIn(who.name, who.password, "/docs/roles")).toMatchObject({ status: 303, location: "/docs/roles" });
  });

  test("says how long to wait after too many attempts", async () => {
    const who = await known();
    const visitor = browser(plain, { address: "198.51.100.9" });
    for (let i = 0; i < 10; i += 1) expect((await visitor.signIn(who.name, "wrong")).status).toBe(401);
    const limited = await visitor.signIn(who.name, who.password);
    expect(limited.status).toBe(429);
    expect(limited.text).toMatch(/Too many attempts\. Wait \d+ (seconds|minutes), then try again\./);
    expect(Number(limited.headers["retry-after"])).toBeGreaterThan(0);
  });

  test("escapes what was typed", async () => {
    const answer = await browser(plain).signIn('"><script>alert(1)</script>', "x");
    expect(answer.text).not.toContain("<script");
    expect(answer.text).toContain("&quot;&gt;&lt;script&gt;");
  });
});

let someone: { name: string; password: string; credentials: { authorization: string } } | undefined;
async function known() {
  someone ??= await site.person("someone", "viewer");
  return someone;
}

describe("forms that are not ours", () => {
  test.each<[string, (visitor: Browser, form: string) => Promise<{ csrf: string; headers?: Record<string, string> }>]>([
    ["without a token", async () => ({ csrf: "" })],
    ["with a token and without its cookie", async (visitor, form) => {
      visitor.jar.delete("qinfra-form");
      return { csrf: fieldIn(form, "csrf") };
    }],
    ["with the token of another browser", async () => ({ csrf: await browser(plain).csrfOf("/sign-in") })],
    ["from another site", async (_visitor, form) => ({ csrf: fieldIn(form, "csrf"), headers: { "sec-fetch-site": "cross-site" } })],
    ["from a sibling site", async (_visitor, form) => ({ csrf: fieldIn(form, "csrf"), headers: { "sec-fetch-site": "same-site" } })],
    ["from another origin, by an older browser", async (_visitor, form) => ({ csrf: fieldIn(form, "csrf"), headers: { origin: "http://evil.example" } })],
    ["from an origin that is hidden", async (_visitor, form) => ({ csrf: fieldIn(form, "csrf"), headers: { origin: "null" } })],
  ])("sign nobody in %s", async (_name, prepare) => {
    const who = await known();
    const visitor = browser(plain);
    const { text } = await visitor.signInForm();
    const { csrf, headers } = await prepare(visitor, text);
    const answer = await visitor.post(actionIn(text), { csrf, name: who.name, password: who.password }, headers ?? { "sec-fetch-site": "same-origin" });
    expect(answer.status).toBe(403);
    expect(visitor.jar.has("qinfra")).toBe(false);
  });

  test("given the form's address without the browser in which it was begun, then it begins anew", async () => {
    const who = await known();
    const { text } = await browser(plain).signInForm();
    const other = browser(plain);
    const answer = await other.post(actionIn(text), { csrf: await other.csrfOf("/sign-in"), name: who.name, password: who.password });
    expect(answer).toMatchObject({ status: 303, location: "/sign-in" });
  });

  test("of an older browser that names our origin are taken", async () => {
    const who = await known();
    const visitor = browser(plain);
    const { text } = await visitor.signInForm();
    const answer = await visitor.post(actionIn(text), { csrf: fieldIn(text, "csrf"), name: who.name, password: who.password }, { origin: "http://qinfra.example" });
    expect(answer).toMatchObject({ status: 303, location: expect.stringMatching(/^\/oidc\/auth\//) });
  });

  test.each<[string, string, (own: string, other: string) => { csrf: string; headers?: Record<string, string> }]>([
    ["/sign-out", "without a token", () => ({ csrf: "" })],
    ["/sign-out", "with another session's token", (_own, other) => ({ csrf: other })],
    ["/sign-out", "from another site", (own) => ({ csrf: own, headers: { "sec-fetch-site": "cross-site" } })],
    ["/set-password", "without a token", () => ({ csrf: "" })],
    ["/set-password", "with another session's token", (_own, other) => ({ csrf: other })],
    ["/set-password", "from another site", (own) => ({ csrf: own, headers: { "sec-fetch-site": "cross-site" } })],
  ])("change nothing at %s %s", async (path, _name, choose) => {
    const who = await known();
    const [visitor, other] = [browser(plain), browser(plain)];
    await visitor.signIn(who.name, who.password);
    await other.signIn(who.name, who.password);
    const { csrf, headers } = choose(await visitor.csrfOf("/"), await other.csrfOf("/"));
    const answer = await visitor.post(path, { csrf, current: who.password, new: "another password", again: "another password" }, headers ?? { "sec-fetch-site": "same-origin" });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain("csrf-missing");
    expect((await visitor.get("/")).status).toBe(200);
    expect((await browser(plain).signIn(who.name, who.password)).status).toBe(303);
  });

  test.each([
    ["application/json", '{"name":"a"}', 415],
    ["multipart/form-data; boundary=x", "--x--", 415],
    ["application/x-www-form-urlencoded", `name=${"a".repeat(20_000)}`, 413],
  ])("of the type %s are refused with a page", async (type, payload, status) => {
    const answer = await browser(plain).send({ method: "POST", url: "/sign-in/any", payload, headers: { "content-type": type } });
    expect([answer.status, answer.headers["content-type"]]).toEqual([status, "text/html; charset=utf-8"]);
  });
});

describe("pages", () => {
  test.each(["/sign-in", "/docs", "/docs/roles", "/nowhere", "/"])("%s may load nothing but its stylesheet and be framed by nobody", async (url) => {
    const { headers } = await browser(plain).get(url);
    expect(headers).toMatchObject({ "content-security-policy": csp, "x-content-type-options": "nosniff", "referrer-policy": "same-origin", "x-frame-options": "DENY" });
    expect(headers["cache-control"]).toBe(url.startsWith("/docs") ? "private, no-cache" : "no-store");
  });

  test("name a stylesheet that may be kept for good", async () => {
    const visitor = browser(plain);
    const [, path = ""] = /href="(\/static\/[^"]+)"/.exec((await visitor.get("/docs")).text) ?? [];
    expect((await visitor.get(path)).headers).toMatchObject({ "content-type": "text/css; charset=utf-8", "cache-control": "public, max-age=31536000, immutable" });
  });

  test("hold no script and no style of their own", async () => {
    const who = await known();
    const visitor = browser(plain);
    await visitor.signIn(who.name, who.password);
    for (const url of ["/", "/docs", "/docs/roles", "/set-password", "/nowhere"]) expect((await visitor.get(url)).text).not.toMatch(/<script|<style| style=| on\w+=/i);
  });

  test("the reference is answered by its tag alone while it has not changed, for the same visitor", async () => {
    const who = await known();
    const visitor = browser(plain);
    await visitor.signIn(who.name, who.password);
    const tags: string[] = [];
    for (const reader of [browser(plain), visitor]) {
      const { headers } = await reader.get("/docs");
      const again = await reader.send({ method: "GET", url: "/docs", headers: { "if-none-match": String(headers["etag"]) } });
      expect([again.status, again.text, again.headers["vary"]]).toEqual([304, "", "cookie"]);
      tags.push(String(headers["etag"]));
    }
    expect(new Set(tags).size).toBe(2);
  });

  test("name who is signed in, on the pages that are everybody's too", async () => {
    const who = await known();
    const visitor = browser(plain);
    for (const url of ["/docs", "/docs/roles", "/nowhere"]) expect(headerIn((await visitor.get(url)).text), url).toEqual({ user: undefined, signsOut: false });
    await visitor.signIn(who.name, who.password);
    for (const url of ["/", "/docs", "/docs/roles", "/nowhere", "/images/nonsense", "/set-password"]) expect(headerIn((await visitor.get(url)).text), url).toEqual({ user: who.name, signsOut: true });
    expect(await visitor.post("/sign-out", { csrf: await visitor.csrfOf("/nowhere") })).toMatchObject({ status: 303, location: "/signed-out" });
    expect(headerIn((await visitor.get("/nowhere")).text)).toEqual({ user: undefined, signsOut: false });
  });

  test("an address that does not exist is a page for a person and a problem for a program", async () => {
    const page = await browser(plain).get("/it's&here");
    expect(page.status).toBe(404);
    expect(page.text).toContain("/it&#39;s&amp;here");
    expect(page.text).toContain(String(page.headers["x-request-id"]));
    const accept = "application/json";
    for (const request of [{ url: "/nowhere", headers: { accept } }, { url: "/api/v1/nowhere" }, { url: "/oidc/nothing", headers: { accept } }, { url: "/oidc", headers: { accept } }]) {
      const problem = await browser(plain).send({ method: "GET", ...request });
      expect([request.url, problem.status, problem.headers["content-type"]]).toEqual([request.url, 404, "application/problem+json; charset=utf-8"]);
    }
    for (const url of ["/oidc/nothing", "/oidc/token", "/oidc/session/end"]) {
      const unknown = await browser(plain).get(url);
      expect([unknown.status, unknown.text.includes(`There is no page ${url} here`)]).toEqual([404, true]);
    }
    expect((await browser(plain).send({ method: "POST", url: "/oidc/nothing", headers: { accept } })).text).toContain("There is no POST /oidc/nothing here");
  });

  test("what belongs to nobody here is not found", async () => {
    const who = await known();
    const visitor = browser(plain);
    await visitor.signIn(who.name, who.password);
    for (const url of ["/images/img_01jd0000000000000000000000", "/assets/ast_01jd0000000000000000000000"]) {
      const answer = await visitor.get(url);
      expect([answer.status, answer.headers["content-type"]]).toEqual([404, "text/html; charset=utf-8"]);
    }
    const nonsense = await visitor.get("/images/nonsense");
    expect([nonsense.status, nonsense.text.includes("This address names no image")]).toEqual([404, true]);
  });
});

describe("the status page", () => {
  test("shows what a role may not see as not shown, and never as good", async () => {
    site.machine.summary = { state: "unknown", why: "os-release <cannot> be read" };
    const who = await known();
    const visitor = browser(plain);
    await visitor.signIn(who.name, who.password);
    const before = refusals();
    const { text } = await visitor.get("/");
    expect(text).toContain("This needs the permission audit:read, which your role does not have");
    expect((await visitor.get("/account")).text).toContain("Your role does not show API keys");
    expect(refusals()).toBe(before); // nobody tried
    expect(text).toContain("os-release &lt;cannot&gt; be read");
    expect(text).toContain("none loaded");
    expect(text).toContain("held back for 40 s");
    expect(text).not.toContain("no findings");
  });

  test("shows the server's machine to members of the platform organization alone", async () => {
    site.machine.summary = { state: "read", name: "secret-host", os: "Debian 12", kernel: "6.1", architecture: "x64", packages: [{ type: "deb", count: 3 }], components: [], readAt: new Date(under.clock.now()).toISOString() };
    const who = await known();
    const visitor = browser(plain);
    await visitor.signIn(who.name, who.password);
    const mine = (await visitor.get("/")).text;
    expect(mine).toContain("secret-host");
    expect(mine).toContain("unknown: no advisories are loaded");

    const admin = await site.administrator();
    const other = await under.organization({ authorization: admin.authorization as string }, "tenant");
    const tenant = await under.member(other.credentials, "tenant-admin", "admin");
    const stranger = browser(plain);
    await stranger.signIn(tenant.name, tenant.password);
    const theirs = await stranger.get("/");
    expect(theirs.status).toBe(200);
    expect(theirs.text).not.toContain("secret-host");
  });

  test("shows an image and an asset whose findings are not known yet as pending", async () => {
    await known();
    const visitor = browser(plain);
    await visitor.signIn("admin", (await site.administrator()).password);
    const components = [{ name: "openssl", version: "3.0.17-1~deb12u2", purl: "pkg:deb/debian/openssl@3.0.17-1~deb12u2?arch=amd64&distro=debian-12" }];
    const headers = { cookie: `qinfra=${visitor.jar.get("qinfra")}`, "x-csrf-token": await visitor.csrfOf("/"), "sec-fetch-site": "same-origin", "content-type": "application/json" };
    async function recorded(url: string, payload: object): Promise<{ image?: { id: string }; asset?: { id: string } }> {
      const answer = await plain.inject({ method: "POST", url, headers, payload });
      expect(answer.statusCode).toBeLessThan(300);
      return answer.json();
    }
    const { image } = await recorded("/api/v1/images", { family: "base", version: "1", source: "sbom", components });
    const { asset } = await recorded("/api/v1/assets/scans", { name: "web01", source: "import", components });
    const status = (await visitor.get("/")).text;
    expect(status.match(/>pending</g)).toHaveLength(2);
    expect(status).not.toContain("no findings");
    for (const path of [`/images/${image?.id}`, `/assets/${asset?.id}`]) {
      expect(status).toContain(`href="${path}"`);
      const page = await visitor.get(path);
      expect(page.status).toBe(200);
      expect(page.text).toContain("nothing is known");
    }
  });
});

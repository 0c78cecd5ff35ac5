import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { organizationOf, testPlatform, type TestPlatform } from "../../src/app/testing.ts";
import { browserSession } from "../../src/platform/identity/cookies.ts";
import { routeOf } from "../../src/platform/operation/registry.ts";

// The OWASP API security top ten of 2023, a test or more each, and what else a stranger tries first.
// https://owasp.org/API-Security/editions/2023/en/0x11-t10/

let platform: TestPlatform;
let inside: Server;
let insideUrl: string;
const insideHits: string[] = [];
beforeAll(async () => {
  platform = await testPlatform();
  inside = createServer((request, response) => {
    insideHits.push(request.url ?? "");
    response.end("{}");
  });
  await new Promise<void>((resolve) => inside.listen(0, "127.0.0.1", resolve));
  insideUrl = `http://127.0.0.1:${(inside.address() as { port: number }).port}`;
});
afterAll(async () => {
  await platform.close();
  await new Promise((resolve) => inside.close(resolve));
});

const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const password = "the password of everybody";
async function signedIn(person = platform.person("viewer")): Promise<string> {
  return platform.newSession(person);
}

describe("API1 broken object level authorization", () => {
  it("answers another organization's image, asset and member as if they were not there", async () => {
    const { body } = await platform.call("images.register", { as: "admin", input: { ...platform.platform.registry.byId.get("images.register")?.examples[0]?.input, family: "owasp" } });
    const { id } = (body as { image: { id: string } }).image;
    for (const as of ["other-tenant-admin", "platform-admin"] as const) {
      expect((await platform.call("images.get", { as, input: { id } })).status).toBe(404);
      expect((await platform.call("images.delete", { as, input: { id } })).status).toBe(404);
    }
    // Kept answers are of one organization.
    expect((await platform.call("images.get", { as: "viewer", input: { id } })).status).toBe(200);
    expect((await platform.call("images.get", { as: "other-tenant-admin", input: { id } })).status).toBe(404);
  });

  it("does not let a header choose an organization that the caller is no member of", async () => {
    const answer = await platform.call("images.list", { as: "viewer", headers: { "qinfra-organization": organizationOf(platform.person("other-tenant-admin")) } });
    expect(answer.status).toBe(401);
  });
});

describe("API2 broken authentication", () => {
  it("ends a session for good at sign-out: its token is refused when it is sent again", async () => {
    const authorization = await signedIn();
    expect((await platform.call("users.me", { authorization })).status).toBe(200);
    expect((await platform.call("sessions.delete", { authorization, input: { id: "current" } })).status).toBe(200);
    expect((await platform.call("users.me", { authorization })).status).toBe(401);
  });

  it("takes no session id that a caller brings along (session fixation)", async () => {
    const fixed = `qis_${"a".repeat(52)}`;
    const page = await platform.inject({ method: "GET", url: "/sign-in", headers: { cookie: `qinfra=${fixed}` } });
    expect(String(page.headers["set-cookie"] ?? "")).not.toContain(fixed);
    expect((await platform.inject({ method: "GET", url: "/api/v1/users/me", headers: { cookie: `qinfra=${fixed}` } })).status).toBe(401);
  });

  it("keeps cookies and bearer tokens apart", async () => {
    const token = (await signedIn()).replace("Bearer ", "");
    expect((await platform.inject({ method: "GET", url: "/api/v1/users/me", headers: { cookie: `qinfra=${token}` } })).status).toBe(401);
  });

  it.each([
    ["no algorithm", { alg: "none" }],
    ["a shared secret", { alg: "HS256" }],
    ["a key that the token itself names", { alg: "RS256", jku: "http://attacker.example/jwks" }],
    ["a key inside the token", { alg: "RS256", jwk: { kty: "RSA", n: "AQAB", e: "AQAB" } }],
  ])("refuses a JWT with %s", async (_what, header) => {
    const token = `${json(header)}.${json({ iss: "local", sub: platform.person("admin").userId, exp: 4_000_000_000 })}.${json("x")}`;
    expect((await platform.call("users.me", { authorization: `Bearer ${token}` })).status).toBe(401);
  });

  it("does the same work for a name that nobody has", async () => {
    const answers = await Promise.all(["viewer-who-is-not-there", "admin"].map((name) => platform.call("sessions.create", { input: { name, password: "wrong", door: "cli" } })));
    const [absent, present] = answers.map(({ status, body }) => ({ status, ...(body as { code: string; detail: string; requestId?: string }), requestId: undefined }));
    expect(absent).toEqual(present);
    expect(absent?.status).toBe(401);
  });
});

describe("API3 broken object property level authorization", () => {
  it.each([
    ["users.set-password", { currentPassword: password, newPassword: "a longer horse battery", role: "admin" }, "/role"],
    ["images.register", { family: "owasp", version: "2.0.0", orgId: "x" }, "/orgId"],
    ["api-keys.create", { name: "k", scopes: ["images:read"], createdBy: "usr_01jd0000000000000000000000" }, "/createdBy"],
    ["members.set-role", { user: "usr_01jd0000000000000000000000", role: "viewer", platform: true }, "/platform"],
  ])("refuses a field that %s does not declare (mass assignment)", async (operation, input, path) => {
    const { status, body } = await platform.call(operation, { as: "admin", input });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(path);
  });

  it("shows no hash, secret or password of anybody", async () => {
    for (const id of ["members.list", "api-keys.list", "users.me", "sessions.list", "access.review"]) {
      const { status, text } = await platform.call(id, { as: "admin" });
      expect([id, status]).toEqual([id, 200]);
      expect(text).not.toMatch(/\$argon2|"hash"|"secret"|qik_[0-9a-z]{12}_|qis_/);
    }
  });
});

describe("API4 unrestricted resource consumption", () => {
  it.each([
    ["a page of a million", { method: "GET", url: "/api/v1/images?limit=1000000" }, 400],
    ["a cursor of a megabyte", { method: "GET", url: `/api/v1/images?cursor=${"a".repeat(8_000)}` }, 400],
    ["a body of two megabytes", { method: "POST", url: "/api/v1/api-keys", headers: { "content-type": "application/json" }, payload: `{"name":"${"a".repeat(2_000_000)}"}` }, 413],
    ["a body that is null, where all fields may be left out", { method: "POST", url: "/api/v1/second-factors/totp", headers: { "content-type": "application/json" }, payload: "null" }, 400],
    ["a body nested ten thousand deep", { method: "POST", url: "/api/v1/images", headers: { "content-type": "application/json" }, payload: `{"family":${"[".repeat(10_000)}${"]".repeat(10_000)}}` }, 400],
  ] as const)("refuses %s", async (_what, request, status) => {
    expect((await platform.inject(request, "operator")).status).toBe(status);
  });
});

describe("API5 broken function level authorization", () => {
  it.each([
    ["viewer", "members.add", { name: "eve", role: "admin" }],
    ["operator", "organizations.set-settings", { id: "org_01jd0000000000000000000000", settings: {}, version: 0 }],
    ["auditor", "api-keys.create", { name: "k", scopes: ["images:read"] }],
    ["admin", "organizations.create", { name: "Mine", slug: "mine" }],
    ["other-tenant-admin", "users.erase", { user: "usr_01jd0000000000000000000000", name: "x" }],
  ] as const)("refuses %s what only others may: %s", async (as, operation, input) => {
    const answer = await platform.call(operation, { as, input });
    expect([answer.status, (answer.body as { code: string }).code]).toEqual([403, "permission-missing"]);
  });

  it.each(["PUT", "PATCH", "DELETE", "TRACE"] as const)("does not take %s for a read", async (method) => {
    expect([400, 404]).toContain((await platform.inject({ method: method as "PUT", url: "/api/v1/users/me" }, "admin")).status);
    expect((await platform.call("users.me", { as: "admin" })).status).toBe(200);
  });

  it("does not take a method from a header", async () => {
    const { status } = await platform.inject({ method: "GET", url: "/api/v1/images", headers: { "x-http-method-override": "DELETE" } }, "viewer");
    expect(status).toBe(200);
  });
});

describe("API6 unrestricted access to sensitive business flows", () => {
  it("slows down who guesses passwords, and does not lock the owner out", async () => {
    const guess = (remoteAddress: string, tried: string) => platform.http.inject({
      method: "POST", url: "/api/v1/sessions", remoteAddress, headers: { "content-type": "application/json" }, payload: { name: "nobody-of-that-name", password: tried, door: "cli" },
    });
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await guess("198.51.100.7", `guess ${i}`)).statusCode);
    expect(statuses.at(-1)).toBe(429);
    expect((await guess("198.51.100.8", "from elsewhere")).statusCode).toBe(401);
  });
});

describe("API7 server side request forgery", () => {
  it("calls nothing that a token names as its issuer or its keys", async () => {
    for (const claims of [{ iss: insideUrl }, { iss: insideUrl, aud: "qinfra" }]) {
      const token = `${json({ alg: "RS256", kid: "1", jku: `${insideUrl}/jwks`, x5u: `${insideUrl}/x5u` })}.${json({ ...claims, sub: "x", exp: 4_000_000_000 })}.${json("x")}`;
      expect((await platform.call("users.me", { authorization: `Bearer ${token}` })).status).toBe(401);
    }
    expect(insideHits).toEqual([]);
  });

  it("has no operation that takes a URL to call, but for those that only the guarded client calls", () => {
    // Addresses to which a browser is led back are compared, never called.
    const compared = new Set(["applications.create redirectUris"]);
    // Where an organization wants to be told: called by the guarded client alone, which reaches no private address unless whoever runs the platform lets it.
    const guarded = new Set(["notifications.create-channel endpoint", "notifications.update-channel endpoint"]);
    const urls = platform.platform.registry.operations.flatMap(({ id, input }) => Object.entries(input.properties).flatMap(([name, schema]) => {
      const said = `${name} ${JSON.stringify(schema)}`;
      return /\bur[il]s?\b|https?:|"format":"ur[il]"/i.test(said.replaceAll(/purl|Package URL/gi, "")) || /(url|uri)s?$/i.test(name) ? [`${id} ${name}`] : [];
    }));
    expect(urls.filter((found) => !compared.has(found) && !guarded.has(found))).toEqual([]);
  });
});

describe("API8 security misconfiguration", () => {
  it("tells browsers not to guess, frame or keep, and lets no other site read", async () => {
    const page = await platform.inject({ method: "GET", url: "/sign-in" });
    const answer = await platform.inject({ method: "GET", url: "/api/v1/images", headers: { origin: "https://attacker.example" } }, "viewer");
    expect(answer.headers).toMatchObject({ "x-content-type-options": "nosniff" });
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    const follow = page.status === 302 ? await platform.inject({ method: "GET", url: String(page.headers["location"]).replace(/^https?:\/\/[^/]+/, "") }) : page;
    expect(String(follow.headers["content-security-policy"])).toMatch(/frame-ancestors 'none'/);
  });

  it.each(["/api/v1/images/%00", "/api/v1/images/..%2f..%2fetc%2fpasswd", "/assets/../package.json", "/.git/config", "/.env", "/debug/pprof", "/actuator"])("shows nothing at %s", async (url) => {
    const { status, text } = await platform.inject({ method: "GET", url }, "admin");
    expect([400, 404]).toContain(status);
    expect(text).not.toMatch(/root:|"scripts"|\[core\]/);
  });

  it.each([
    ["x-request-id", "a\r\nset-cookie: x=1"],
    ["x-request-id", "<script>"],
    ["idempotency-key", "a b"],
    ["qinfra-organization", "x\u0000y"],
  ])("puts nothing into its headers that came in one: %s %j", async (name, value) => {
    const answer = await platform.inject({ method: "POST", url: "/api/v1/images", headers: { [name]: value, "content-type": "application/json" }, payload: "{}" }, "operator");
    expect(JSON.stringify(answer.headers)).not.toMatch(/x=1|<script>/);
    expect(answer.status).toBeLessThan(500);
  });

  it("leads nobody to another site after sign-in", async () => {
    for (const next of ["https://attacker.example", "//attacker.example", "/\\attacker.example", "javascript:alert(1)"]) {
      const { text, headers } = await platform.inject({ method: "GET", url: `/sign-in?next=${encodeURIComponent(next)}` });
      expect(`${text} ${String(headers["location"])}`).not.toMatch(/(href|value|location)="?(https?:)?\/\/attacker|javascript:/);
    }
  });
});

describe("API9 improper inventory management", () => {
  it("has no route of the interface that its document does not list", async () => {
    const { paths } = (await platform.inject({ method: "GET", url: "/openapi.json" })).body as { paths: Record<string, Record<string, unknown>> };
    const listed = new Set(Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)));
    for (const operation of platform.platform.registry.operations) {
      if (operation.without?.http !== undefined) continue;
      const { method, path } = routeOf(operation);
      expect(listed.delete(`${method} ${path}`)).toBe(true);
    }
    expect([...listed]).toEqual([]);
    expect((await platform.inject({ method: "GET", url: "/api/v0/images" }, "admin")).status).toBe(404);
    expect((await platform.inject({ method: "GET", url: "/api/images" }, "admin")).status).toBe(404);
  });
});

describe("API10 unsafe consumption of APIs", () => {
  it("takes nothing from a feed that is not what it says", async () => {
    const answer = await platform.call("feeds.import", { as: "platform-admin", input: { name: "owasp" }, body: "<html>not a feed</html>", headers: { "content-type": "application/x-ndjson" } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });
});

describe("what else a stranger tries", () => {
  it("logs no key, password or token", async () => {
    const authorization = await signedIn();
    await platform.call("sessions.create", { input: { name: "admin", password: "hunter2-in-a-log", door: "cli" } });
    await platform.call("users.me", { authorization });
    await platform.inject({ method: "GET", url: "/api/v1/users/me?token=token-in-a-url", headers: { authorization } });
    const logged = platform.errors().join("\n");
    for (const secret of ["hunter2-in-a-log", authorization.slice(7), "token-in-a-url"]) expect(logged).not.toContain(secret);
  });

  it.each(["../../../etc/passwd", "..%2f..%2fkeys", "cas/../../keys/platform-keys.json", "a/./b", "a//b", "/etc/passwd", "a\u0000b"])("reads and writes no blob outside its organization: %j", async (name) => {
    const { orgId } = platform.person("admin");
    await expect(platform.platform.services.blobs.point(orgId, name, Buffer.from("x"))).rejects.toMatchObject({ type: { code: "blob-name-invalid" } });
    await expect(platform.platform.services.blobs.read(orgId, name)).rejects.toMatchObject({ type: { code: "blob-name-invalid" } });
  });

  it("takes a change by cookie only with the page's own token, and from no other site", () => {
    const rules = { secure: false, csrfKey: Buffer.alloc(32, 1) };
    const request = { method: "POST", cookies: { qinfra: "s" }, csrf: undefined };
    expect(browserSession(request, rules)).toEqual({ session: "s", csrf: false });
    expect(browserSession({ ...request, csrf: "guessed" }, rules)).toEqual({ session: "s", csrf: false });
    expect(browserSession({ ...request, method: "GET" }, rules)).toEqual({ session: "s", csrf: true });
  });
});

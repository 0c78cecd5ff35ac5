import { generateKeyPair, SignJWT } from "jose";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { platformOperations } from "../testing/platform-operations.ts";
import { testManifest } from "../testing/operations.ts";
import { createCliPlace, type CliPlace } from "../testing/run.ts";
import { startPlatformServer, type Answer, type PlatformServer } from "../testing/server.ts";

let place: CliPlace;
let server: PlatformServer;
let idToken: string;

const pending: Answer = { status: 400, json: { error: "authorization_pending" } };

/** Makes the test server a simulated issuer at `path`, whose token endpoint answers `before`, and then grants. */
async function issue(at: PlatformServer, path: string, clientId: string, before: Answer[] = [], device: Record<string, unknown> = {}): Promise<string> {
  const issuer = `${at.url}${path}`;
  idToken = await tokenOf(issuer, clientId);
  at.answers[`GET ${path}/.well-known/openid-configuration`] = {
    json: { issuer, token_endpoint: `${issuer}/token`, device_authorization_endpoint: `${issuer}/device/auth`, id_token_signing_alg_values_supported: ["ES256"] },
  };
  at.answers[`POST ${path}/device/auth`] = (request) => {
    const asked = new URLSearchParams(request.body);
    if (asked.get("client_id") !== clientId || asked.get("scope") !== "openid profile email") return { status: 400, json: { error: "invalid_client" } };
    return { json: { device_code: "dev-secret", user_code: "BCDF-GHJK", verification_uri: `${at.url}/device`, verification_uri_complete: `${at.url}/device?user_code=BCDF-GHJK`, expires_in: 600, interval: 0.01, ...device } };
  };
  at.answers[`POST ${path}/token`] = [...before, granted()];
  return issuer;
}

async function tokenOf(issuer: string, audience: string): Promise<string> {
  const { privateKey } = await generateKeyPair("ES256");
  return new SignJWT({ sub: "usr_1" }).setProtectedHeader({ alg: "ES256" }).setIssuer(issuer).setAudience(audience).setIssuedAt().setExpirationTime("5m").sign(privateKey);
}

const granted = (): Answer => ({ json: { access_token: "acc-secret", token_type: "bearer", id_token: idToken } });
const polls = () => server.received.filter(({ url }) => url === "/oidc/token").length;

beforeEach(async () => {
  place = await createCliPlace(testManifest(platformOperations));
  server = await startPlatformServer();
  const issuer = await issue(server, "/oidc", "qinfra-cli", [pending, pending]);
  server.answers["GET /api/v1/sign-in"] = { json: { issuers: [{ issuer, label: "QL-RF", clientId: "qinfra-cli", local: true }], passwords: true } };
  server.answers["POST /api/v1/sessions/exchange"] = (request) => {
    const { idToken: given } = JSON.parse(request.body) as { idToken: string };
    if (given !== idToken) return { problem: { code: "id-token-refused", status: 401, title: "T", detail: "The ID token is not accepted here." } };
    return { status: 201, json: { token: "tok_device", expiresAt: "2026-12-21T12:00:00Z", mustChangePassword: false } };
  };
  server.answers["GET /api/v1/users/me"] = { json: { user: { name: "ada" } } };
});
afterEach(async () => {
  await server.close();
  await place.remove();
});

const login = (...args: string[]) => place.run(["login", "--url", server.url, ...args]);

describe("login by device flow", () => {
  it("shows page and code, waits until somebody signed in, and keeps the session where only its owner can read it", async () => {
    const { code, stdout, stderr } = await login();
    expect({ code, stdout, stderr }).toEqual({
      code: 0, stdout: "",
      stderr: `To log in, open ${server.url}/device in a browser and enter the code BCDF-GHJK.
Or open ${server.url}/device?user_code=BCDF-GHJK and check that it shows this code.
Waiting for 10 min; Ctrl-C ends it.
Logged in to ${server.url} as ada until 2026-12-21T12:00:00Z.\n`,
    });
    expect(polls()).toBe(3);
    const file = join(place.home, "credentials.json");
    expect(((await stat(file)).mode & 0o777).toString(8)).toBe("600");
    const kept = await readFile(file, "utf8");
    expect(JSON.parse(kept)).toEqual({ current: server.url, logins: { [server.url]: { token: "tok_device", user: "ada", expiresAt: "2026-12-21T12:00:00Z" } } });
    expect(`${stderr}${kept}`).not.toMatch(/dev-secret|acc-secret|eyJ/);
    expect(server.received.at(-1)?.headers.authorization).toBe("Bearer tok_device");
  });

  it("works in the organization that is named", async () => {
    await login("--organization", "org_01jd0000000000000000000000");
    const sent = server.received.find(({ url }) => url === "/api/v1/sessions/exchange");
    expect(JSON.parse(sent?.body ?? "")).toEqual({ idToken, door: "cli", organization: "org_01jd0000000000000000000000" });
  });

  it.each<[string, Answer, string]>([
    ["somebody refuses", { status: 400, json: { error: "access_denied" } }, "The sign-in was refused in the browser."],
    ["the code expires", { status: 400, json: { error: "expired_token" } }, "The code expired before anybody signed in."],
    ["the issuer wants another client", { status: 401, json: { error: "unauthorized_client" } }, "does not allow this client the device flow"],
    ["there is no ID token", { json: { access_token: "acc-secret", token_type: "bearer" } }, "answered without an ID token"],
    ["the answer is of another issuer's making", { raw: { type: "text/html", text: "<html>" } }, "answered what nobody understands"],
  ])("given %s, then that is said and nothing is kept", async (_what, answer, said) => {
    server.answers["POST /oidc/token"] = [pending, answer];
    const { code, stderr } = await login();
    expect(code).toBe(2);
    expect(stderr).toContain(said);
    expect(stderr).not.toMatch(/dev-secret|acc-secret/);
    await expect(stat(join(place.home, "credentials.json"))).rejects.toThrow("ENOENT");
  });

  it("given nobody signs in before the code expires, then it gives up", async () => {
    await issue(server, "/oidc", "qinfra-cli", Array.from({ length: 500 }, () => pending), { expires_in: 0.05, interval: 0.01 });
    expect(await login()).toMatchObject({ code: 2, stderr: expect.stringContaining("Nobody signed in with the code BCDF-GHJK before it expired.") });
  });

  it("given Ctrl-C, then it ends", async () => {
    const stop = new AbortController();
    server.answers["POST /oidc/token"] = () => {
      stop.abort(130);
      return pending;
    };
    expect(await place.run(["login", "--url", server.url], { io: { signal: stop.signal } })).toMatchObject({ code: 130 });
  });

  it("given one request without an answer, then it goes on", async () => {
    let broken = true;
    const fetch: typeof globalThis.fetch = async (url, init) => {
      if (!String(url).endsWith("/token") || !broken) return globalThis.fetch(url, init);
      broken = false;
      throw new TypeError("fetch failed");
    };
    expect(await place.run(["login", "--url", server.url], { io: { fetch } })).toMatchObject({ code: 0 });
  });

  it("given text of the issuer with control characters, then none reaches the terminal", async () => {
    await issue(server, "/oidc", "qinfra-cli", [], { user_code: "AB\u001b[2J\u202eCD" });
    const { stderr } = await login();
    expect(stderr).toContain("enter the code AB [2J CD.");
  });

  it.each([["javascript:alert(1)"], ["file:///etc/passwd"], ["nonsense"]])("given the page %s, then it is not shown", async (page) => {
    await issue(server, "/oidc", "qinfra-cli", [], { verification_uri_complete: page });
    const { code, stderr } = await login();
    expect({ code, shown: stderr.includes(page) }).toEqual({ code: 2, shown: false });
  });
});

describe("where one signs in", () => {
  let company: PlatformServer;
  let issuer: string;
  beforeEach(async () => {
    company = await startPlatformServer();
    issuer = await issue(company, "/realms/acme", "qinfra-public", [pending]);
  });
  afterEach(() => company.close());

  const offer = (...issuers: object[]) => void (server.answers["GET /api/v1/sign-in"] = { json: { issuers, passwords: false } });
  const external = () => ({ issuer, label: "Acme", clientId: "qinfra-public", local: false });
  const other = { issuer: "https://other.example", label: "Other", clientId: "x", local: false };

  it("is the only issuer where there is one", async () => {
    offer(external());
    expect(await login()).toMatchObject({ code: 0, stderr: expect.stringContaining(`open ${company.url}/device in a browser`) });
  });

  it.each([["its label", () => "acme"], ["its address", () => issuer]])("is the one that is named by %s", async (_how, named) => {
    offer(external(), other);
    expect(await login("--issuer", named())).toMatchObject({ code: 0 });
  });

  it("has to be named where there are several", async () => {
    offer(external(), other);
    expect(await login()).toMatchObject({ code: 2, stderr: expect.stringContaining(`choose one with --issuer: Acme (${issuer}), Other (https://other.example)`) });
    expect(await login("--issuer", "third")).toMatchObject({ code: 2, stderr: expect.stringContaining("names no issuer third") });
  });

  it("is the server itself where it offers that, whatever it calls itself", async () => {
    const own = await issue(server, "/oidc", "qinfra-cli");
    const renamed = "http://127.0.0.1:1/oidc";
    const text = JSON.stringify(server.answers["GET /oidc/.well-known/openid-configuration"]).replaceAll(own, renamed);
    server.answers["GET /oidc/.well-known/openid-configuration"] = JSON.parse(text) as Answer;
    idToken = await tokenOf(renamed, "qinfra-cli");
    server.answers["POST /oidc/token"] = [granted()];
    offer({ issuer: renamed, label: "QL-RF", clientId: "qinfra-cli", local: true }, external());
    expect(await login()).toMatchObject({ code: 0 });
  });

  it("is not this machine where the server is another", async () => {
    offer({ issuer: "http://127.0.0.1:8080/oidc", label: "QL-RF", clientId: "qinfra-cli", local: true });
    const fetch: typeof globalThis.fetch = (url, init) => globalThis.fetch(String(url).replace("https://qinfra.example", server.url), init);
    const { code, stderr } = await place.run(["login", "--url", "https://qinfra.example"], { io: { fetch } });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("PUBLIC_URL") });
  });

  it("is asked of a person by name and password where no issuer has the device flow", async () => {
    server.answers["GET /api/v1/sign-in"] = { json: { issuers: [], passwords: true } };
    expect(await login()).toMatchObject({ code: 2, stderr: expect.stringContaining("There is no terminal to ask for the password.") });
    offer();
    expect(await login()).toMatchObject({ code: 2, stderr: expect.stringContaining("QINFRA_API_KEY") });
  });

  it("is an issuer or a password, not both", async () => {
    expect(await login("--issuer", "acme", "--user", "ada")).toMatchObject({ code: 2, stderr: expect.stringContaining("leave one of them out") });
  });
});

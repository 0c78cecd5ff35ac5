import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { decodeJwt, UnsecuredJWT } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createHttpClient } from "../../src/platform/http-client/http-client.ts";
import { knownIssuers } from "../../src/platform/identity/issuers.ts";
import { createJwtVerifier } from "../../src/platform/identity/jwt.ts";
import { openBrowser, type Page } from "./support/browser.ts";
import type { Client } from "./support/client.ts";
import { startKeycloak, type Keycloak } from "./support/keycloak.ts";
import { audience, createRealm, password, type Realm } from "./support/keycloak-realm.ts";
import { describeWith } from "./support/peer.ts";
import { claim, dataFolder, root, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { freePort } from "./support/process.ts";

interface Me {
  user: { name: string; displayName: string; email?: string };
  organization: { slug: string };
  roles: string[];
}

describeWith(["keycloak"], "people and programs of a Keycloak", () => {
  let keycloak: Keycloak;
  let realm: Realm;
  let elsewhere: Realm;
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let platform: RunningPlatform;
  let admin: Client;

  const settings = (of: Realm) => ({
    issuer: of.issuer, audience, algorithms: ["RS256"], jwksUrl: `${of.issuer}/protocol/openid-connect/certs`, label: "Acme", client: { id: "qinfra" },
    roles: { claim: "groups", map: { operators: "operator", viewers: "viewer", admins: "admin" }, organization: "acme" },
    secondFactor: { claim: "acr", values: ["gold"] },
  });

  beforeAll(async () => {
    const port = await freePort();
    [keycloak, folder] = await Promise.all([startKeycloak(), dataFolder("keycloak-platform")]);
    realm = await createRealm(keycloak, "acme", `http://127.0.0.1:${port}/auth/callback`);
    elsewhere = await createRealm(keycloak, "elsewhere", "http://127.0.0.1/");
    platform = await startPlatform(folder.path, { PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}`, JWT_ISSUERS: JSON.stringify([settings(realm)]) });
    admin = await claim(platform.address, "admin", platform.oneTimePassword ?? "", "a password of the platform");
    await admin.call("POST", "/api/v1/organizations", { name: "Acme", slug: "acme" });
  }, 480_000);
  afterAll(async () => {
    await admin?.close();
    await platform?.stop();
    await keycloak?.stop();
    await folder?.remove();
  });

  async function whoami(headers: Record<string, string>): Promise<{ status: number; me: Me }> {
    const answer = await fetch(`${platform.address}/api/v1/users/me`, { headers, signal: AbortSignal.timeout(30_000) });
    return { status: answer.status, me: (await answer.json()) as Me };
  }
  const bearing = (token: string) => whoami({ authorization: `Bearer ${token}` });

  /** A new token is at least a second newer than the one before, because that is what their times are told apart by. */
  async function newer(than: string): Promise<string> {
    return vi.waitUntil(async () => {
      const token = await realm.clientToken();
      return Number(decodeJwt(token).iat) > Number(decodeJwt(than).iat) ? token : undefined;
    }, { timeout: 10_000, interval: 200 });
  }

  describe("client credentials", () => {
    it("given an access token, then the program is a member in the role of its group, as a service account", async () => {
      const { status, me } = await bearing(await realm.clientToken());
      expect({ status, ...me }).toMatchObject({ status: 200, user: { name: "service-account-ci" }, organization: { slug: "acme" }, roles: ["viewer"] });
    });

    it("given an access token, then nothing that is for people is done with it", async () => {
      const headers = { authorization: `Bearer ${await realm.clientToken()}` };
      const answers = await Promise.all(["sessions", "second-factors"].map(async (what) => {
        const answer = await fetch(`${platform.address}/api/v1/${what}`, { headers, signal: AbortSignal.timeout(30_000) });
        return { status: answer.status, ...((await answer.json()) as object) };
      }));
      for (const answer of answers) expect(answer).toMatchObject({ status: 403, code: "person-needed", detail: expect.stringContaining("A service account cannot do this") });
    });

    it("given its groups change, then the next token goes by them, and an older one brings nothing back", async () => {
      const before = await realm.clientToken();
      await realm.setGroups("service-account-ci", ["operators", "viewers"]);
      const wider = await newer(before);
      expect((await bearing(wider)).me.roles).toEqual(["operator"]);
      await realm.setGroups("service-account-ci", []);
      const none = await newer(wider);
      expect((await bearing(none)).status).toBe(401);
      for (const old of [before, wider]) expect((await bearing(old)).status).toBe(401);
      await realm.setGroups("service-account-ci", ["viewers"]);
      expect((await bearing(await newer(none))).me.roles).toEqual(["viewer"]);
    });
  });

  describe("a token", () => {
    const seconds = (): number => Math.floor(Date.now() / 1000);

    it("given the realm's own key signs one that is right, then it is accepted, so that what follows is refused for what is wrong with it", async () => {
      expect((await bearing(await realm.forged({ sub: "right" }))).status).toBe(200);
    });

    it.each<[string, () => Promise<string>]>([
      ["for another audience", () => realm.clientToken("stranger")],
      ["for another audience, signed by the realm", () => realm.forged({ aud: "other-api" })],
      ["of a realm that is not listed", () => elsewhere.clientToken()],
      ["of a listed issuer, signed by another realm", () => elsewhere.forged({ iss: realm.issuer })],
      ["of another issuer, signed by the realm", () => realm.forged({ iss: `${keycloak.url}/realms/master` })],
      ["that is over", () => realm.forged({ exp: seconds() - 60 })],
      ["that is not yet valid", () => realm.forged({ nbf: seconds() + 120 })],
      ["from the future", () => realm.forged({ iat: seconds() + 120 })],
      ["without an end", () => realm.forged({}, { endless: true })],
      ["signed by an algorithm that is not listed", () => realm.forged({}, { alg: "PS256" })],
      ["signed with the public key as a secret", () => realm.forged({}, { alg: "HS256", key: Buffer.from(realm.publicKeyPem) })],
      ["that is not signed", async () => new UnsecuredJWT(decodeJwt(await realm.clientToken())).encode()],
      ["of a key that nobody has", () => realm.forged({}, { kid: "made-up" })],
      ["that was changed", async () => {
        const [header, , signature] = (await realm.clientToken()).split(".");
        return [header, Buffer.from(JSON.stringify({ ...decodeJwt(await realm.clientToken()), groups: ["admins"] })).toString("base64url"), signature].join(".");
      }],
      ["that is an ID token", () => realm.forged({ aud: "qinfra", typ: "ID" })],
      ["that is an ID token and names the API", () => realm.forged({ aud: ["qinfra", audience], typ: "ID" })],
    ])("given one %s, then it is 401 and nothing more is said", async (_what, make) => {
      const answer = await bearing(await make());
      expect(answer).toMatchObject({ status: 401, me: { code: "unauthenticated", detail: expect.stringContaining("The credential is not valid here") } });
    });

    it.each<[string, () => Promise<string>]>([
      ["an access token", () => realm.clientToken()],
      ["an ID token for another client", () => realm.forged({ aud: "account", typ: "ID" })],
      ["an ID token of ten minutes ago", () => realm.forged({ aud: "qinfra", typ: "ID", iat: seconds() - 600 })],
      ["an ID token of another realm", () => elsewhere.forged({ aud: "qinfra", typ: "ID" })],
    ])("given %s, then it begins no session", async (_what, make) => {
      const { status, body } = await admin.ask("POST", "/api/v1/sessions/exchange", { idToken: await make(), door: "cli" });
      expect({ status, body }).toMatchObject({ status: 401, body: { code: "id-token-refused" } });
    });
  });

  /** Keycloak's form, with the password of the tests. */
  async function signInAtKeycloak(browser: ReturnType<typeof openBrowser>, form: Page, username: string): Promise<Page> {
    return browser.submit(form, { username, password, credentialId: "" }, "login-actions/authenticate");
  }

  /** Through the platform's pages, as a browser does; the answer of its first page behind the sign-in. */
  async function signInByBrowser(username: string) {
    const browser = openBrowser();
    const form = await browser.open(`${platform.address}/auth/login?${new URLSearchParams({ issuer: realm.issuer })}`);
    const page = await signInAtKeycloak(browser, form, username);
    return { browser, page, session: browser.cookie(platform.address, "qinfra") };
  }

  describe("code and PKCE, in a browser", () => {
    it("given somebody new signs in, then they are a member, and the session is the browser's", async () => {
      const { page, session } = await signInByBrowser("ada");
      expect({ status: page.status, at: new URL(page.url).origin }).toEqual({ status: 200, at: platform.address });
      const { me } = await whoami({ cookie: `qinfra=${session}` });
      expect(me).toMatchObject({ user: { name: "ada", displayName: "ada Example", email: "ada@example.org" }, organization: { slug: "acme" }, roles: ["operator"] });
      expect((await bearing(session ?? "")).status).toBe(401);
    });

    it("given the group is taken away, then the next sign-in is refused, and the sessions before are over", async () => {
      const first = await signInByBrowser("bob");
      expect((await whoami({ cookie: `qinfra=${first.session}` })).me.roles).toEqual(["viewer"]);
      await realm.setGroups("bob", []);
      const refused = await vi.waitUntil(async () => {
        const next = await signInByBrowser("bob");
        return next.session === undefined ? next : undefined;
      }, { timeout: 20_000, interval: 1_000 });
      expect(refused.page.status).toBe(401);
      expect((await whoami({ cookie: `qinfra=${first.session}` })).status).toBe(401);
    });

    it("given somebody without a group, then they do not get in, and nobody is made", async () => {
      const { page, session } = await signInByBrowser("eve");
      expect({ status: page.status, session }).toEqual({ status: 401, session: undefined });
      const { items } = await admin.call<{ items: { name: string }[] }>("GET", "/api/v1/members?limit=1000");
      expect(items.map(({ name }) => name)).not.toContain("eve");
    });
  });

  describe("the device flow, by the command line", () => {
    const children = new Set<ReturnType<typeof spawn>>();
    afterEach(() => children.forEach((child) => child.kill("SIGKILL")));

    function qinfra(...args: string[]) {
      const child = spawn(process.execPath, [join(root, "dist/main.mjs"), ...args], {
        env: { PATH: process.env["PATH"] ?? "", HOME: folder.path, QINFRA_HOME: join(folder.path, "cli"), QINFRA_URL: platform.address }, stdio: ["ignore", "pipe", "pipe"],
      });
      children.add(child);
      let text = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => void (text += chunk.toString()));
      const ended = once(child, "close").then(([code]) => code as number);
      /** The page that it shows with the code filled in. */
      const page = async (): Promise<string> => {
        const found = await vi.waitUntil(() => /Or open (\S+)/.exec(text)?.[1] ?? (child.exitCode === null ? undefined : ""), { timeout: 60_000, interval: 50 });
        if (found === "") throw new Error(`qinfra ended with ${child.exitCode}: ${text}`);
        return found;
      };
      return { text: () => text, ended, page };
    }

    it("given somebody signs in with a browser elsewhere, then the command line has a session, kept for its owner alone", async () => {
      const login = qinfra("login", "--issuer", "acme");
      const browser = openBrowser();
      const consent = await signInAtKeycloak(browser, await browser.open(await login.page()), "ada");
      await browser.submit(consent, { accept: "Yes" }, "consent");
      expect({ code: await login.ended, text: login.text() }).toEqual({ code: 0, text: expect.stringContaining(`Logged in to ${platform.address} as ada`) });
      const file = join(folder.path, "cli/credentials.json");
      expect(((await stat(file)).mode & 0o777).toString(8)).toBe("600");
      expect(await readFile(file, "utf8")).toMatch(/"token": "qis_/);
      const me = qinfra("whoami", "--output", "json");
      expect(await me.ended).toBe(0);
      expect(JSON.parse(me.text())).toMatchObject({ user: { name: "ada" }, roles: ["operator"] });
    }, 120_000);

    it("given somebody refuses, then nobody is logged in", async () => {
      const login = qinfra("login", "--issuer", "acme");
      const browser = openBrowser();
      const consent = await signInAtKeycloak(browser, await browser.open(await login.page()), "ada");
      await browser.submit(consent, { cancel: "No" }, "consent");
      expect({ code: await login.ended, text: login.text() }).toEqual({ code: 2, text: expect.stringContaining("The sign-in was refused in the browser.") });
    }, 120_000);
  });

  // Last: from here on the realm signs with another key.
  describe("rotation of the keys", () => {
    it("given a new key, then its tokens are accepted without a restart, and the old ones are refused once the caches are over", async () => {
      const http = createHttpClient({ clock: { now: () => Date.now() }, userAgent: "qinfra-test" });
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
      const verify = createJwtVerifier(knownIssuers([settings(realm)], http), { clock: { now: () => Date.now() } });
      const old = await realm.forged({ sub: "old" });
      expect(await verify(old)).toMatchObject({ subject: "old" });
      expect((await bearing(old)).status).toBe(200);

      await realm.rotate();
      const fresh = await realm.clientToken();
      await vi.waitFor(async () => expect((await bearing(fresh)).status).toBe(200), { timeout: 20_000, interval: 500 });
      const tenMinutes = 10 * 60_000;
      vi.setSystemTime(Date.now() + tenMinutes);
      expect(await verify(old)).toBeUndefined();
      expect(decodeJwt(old).exp).toBeGreaterThan(Date.now() / 1000);
      vi.useRealTimers();
      await http.close();
    });
  });
});

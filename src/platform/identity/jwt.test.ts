import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type GenerateKeyPairResult, type JWTHeaderParameters, type JWTPayload } from "jose";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { HttpClient, HttpResponse } from "../http-client/types.ts";
import { knownIssuers, type JwtIssuer } from "./issuers.ts";
import { createJwtVerifier } from "./jwt.ts";

const now = Date.UTC(2026, 10, 21, 12);
const seconds = now / 1000;
const issuer: JwtIssuer = { issuer: "https://issuer.example", audience: "qinfra", algorithms: ["ES256"], jwksUrl: "https://issuer.example/keys" };

let own: GenerateKeyPairResult;
let stranger: GenerateKeyPairResult;
let rsa: GenerateKeyPairResult;
let keySet: Uint8Array;
beforeAll(async () => {
  [own, stranger, rsa] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256"), generateKeyPair("RS256")]);
  const keys = [{ ...(await exportJWK(own.publicKey)), kid: "k1" }, { ...(await exportJWK(rsa.publicKey)), kid: "k2" }];
  keySet = Buffer.from(JSON.stringify({ keys }));
});

function httpAnswering(answer: () => HttpResponse | Promise<HttpResponse>): HttpClient & { requests: number } {
  const http = { requests: 0, request: async () => ((http.requests += 1), answer()), stream: async () => Promise.reject(new Error("not streamed")) };
  return http;
}

function ok(): HttpResponse {
  return { status: 200, headers: {}, body: keySet };
}

type Claims = Record<string, unknown>;

function token(claims: Claims = {}, key: CryptoKey = own.privateKey, header: JWTHeaderParameters = { alg: "ES256", kid: "k1" }): Promise<string> {
  return new SignJWT({ iss: issuer.issuer, aud: "qinfra", sub: "user-1", exp: seconds + 600, ...claims } as JWTPayload).setProtectedHeader(header).sign(key);
}

function verifier(http: HttpClient, settings: Partial<JwtIssuer> = {}, options: { time?: () => number; cached?: number } = {}) {
  const { time = () => now, cached } = options;
  return createJwtVerifier(knownIssuers([{ ...issuer, ...settings }], http), { clock: { now: time }, ...(cached !== undefined && { cached }) });
}

describe("a bearer JWT", () => {
  it.each<[string, () => Promise<string>, boolean]>([
    ["good", () => token(), true],
    ["good for several audiences", () => token({ aud: ["other", "qinfra"] }), true],
    ["expired within the tolerance", () => token({ exp: seconds - 10 }), true],
    ["expired", () => token({ exp: seconds - 60 }), false],
    ["without expiry", () => token({ exp: undefined }), false],
    ["not yet valid", () => token({ nbf: seconds + 60 }), false],
    ["of another issuer", () => token({ iss: "https://other.example" }), false],
    ["for another audience", () => token({ aud: "other" }), false],
    ["issued within the tolerance of clocks", () => token({ iat: undefined, nbf: seconds + 10 }), true],
    ["issued in the future", () => token({ iat: seconds + 60 }), false],
    ["typed as an access token", () => token({}, own.privateKey, { alg: "ES256", kid: "k1", typ: "at+jwt" }), true],
    ["typed as one that ends sessions", () => token({}, own.privateKey, { alg: "ES256", kid: "k1", typ: "logout+jwt" }), false],
    ["an ID token that also names the API", () => token({ aud: ["web", "qinfra"] }), false],
    ["an ID token by what its payload says", () => token({ typ: "ID" }), false],
    ["a refresh token by what its payload says", () => token({ typ: "Refresh" }), false],
    ["bound to a key that nobody shows", () => token({ cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }), false],
    ["without a subject", () => token({ sub: undefined }), false],
    ["with an empty subject", () => token({ sub: "" }), false],
    ["with a NUL in its subject", () => token({ sub: "a\0b" }), false],
    ["signed by somebody else", () => token({}, stranger.privateKey), false],
    ["with a key that is not in the set", () => token({}, stranger.privateKey, { alg: "ES256", kid: "k9" }), false],
    ["with an algorithm that is not listed", () => token({}, rsa.privateKey, { alg: "RS256", kid: "k2" }), false],
    ["signed with the public key as a secret", () => new SignJWT({}).setProtectedHeader({ alg: "HS256", kid: "k1" }).setIssuer(issuer.issuer).setAudience("qinfra").setSubject("user-1").setExpirationTime(seconds + 600).sign(keySet), false],
    ["unsigned", async () => new UnsecuredJWT({ sub: "user-1" }).setIssuer(issuer.issuer).setAudience("qinfra").setExpirationTime(seconds + 600).encode(), false],
    ["changed", async () => (await token()).replace(/\.[^.]*\./, `.${Buffer.from(JSON.stringify({ iss: issuer.issuer, aud: "qinfra", sub: "root", exp: seconds + 600 })).toString("base64url")}.`), false],
    ["cut short", async () => (await token()).slice(0, -10), false],
    ["no token", async () => "abc.def.ghi", false],
    ["too long", async () => token({ roles: Array.from({ length: 3_000 }, (_, i) => `r${i}`) }), false],
  ])("given one that is %s, then it is accepted: %#", async (_case, make, accepted) => {
    const verify = verifier(httpAnswering(ok), { client: { id: "web" } });
    expect(await verify(await make())).toEqual(accepted ? { issuer: issuer.issuer, subject: "user-1", service: false } : undefined);
  });

  it.each<[string, JwtIssuer["roles"], Claims, Claims]>([
    ["a path", { claim: "realm_access.roles", map: { ops: "operator" } }, { realm_access: { roles: ["ops", "other", 7] } }, { groups: ["ops"] }],
    ["a name with dots", { claim: "https://example.org/groups", map: { ops: "operator" } }, { "https://example.org/groups": "ops" }, { groups: ["ops"] }],
    ["what is not there", { claim: "a.b.c", map: { ops: "operator" } }, { a: "text" }, { groups: [] }],
    ["a name of every object", { claim: "constructor.name", map: { Object: "admin", toString: "admin" } }, { groups: ["toString"] }, { groups: [] }],
  ])("given groups at %s, then those that count are known with the time of the token", async (_case, roles, claims, known) => {
    const verify = verifier(httpAnswering(ok), { roles });
    expect(await verify(await token({ iat: seconds - 5, ...claims }))).toEqual({ issuer: issuer.issuer, subject: "user-1", service: false, issuedAt: seconds - 5, ...known });
    expect(await verify(await token(claims))).toBeUndefined(); // without a time nobody knows which word is newer
  });

  it.each<[string, Claims, Claims]>([
    ["of a person", { preferred_username: "ada", name: "Ada\u0000 Lovelace", email: "ada@example.org", azp: "web" }, { username: "ada", displayName: "Ada Lovelace", email: "ada@example.org", service: false }],
    ["of a person named as a service account is", { preferred_username: "service-account-ci", azp: "web" }, { username: "service-account-ci", service: false }],
    ["of a service account with an e-mail address", { client_id: "user-1", email: "ci@example.org" }, { email: "ci@example.org", service: true }],
    ["of a service account of Keycloak, which writes names small", { preferred_username: "service-account-ci", client_id: "CI", azp: "CI" }, { username: "service-account-ci", service: true }],
    ["of a person, for whom the client is another", { client_id: "web", azp: "web" }, { service: false }],
    ["of a service account of Keycloak", { preferred_username: "service-account-ci", azp: "ci" }, { username: "service-account-ci", service: true }],
    ["of a client by RFC 9068", { client_id: "user-1" }, { service: true }],
    ["of an application of Entra ID", { idtyp: "app", azp: "other" }, { service: true }],
    ["after a second factor", { amr: ["pwd", "mfa"] }, { service: false, secondFactor: true }],
    ["after a password", { amr: ["pwd"] }, { service: false }],
    ["with names that are none", { preferred_username: 7, name: "x".repeat(300), email: "" }, { service: false }],
  ])("given one %s, then that is known", async (_case, claims, known) => {
    const verify = verifier(httpAnswering(ok), { secondFactor: { claim: "amr", values: ["mfa"] } });
    expect(await verify(await token(claims))).toEqual({ issuer: issuer.issuer, subject: "user-1", ...known });
  });

  it("given the same one again, then its signature is not checked again until it has expired", async () => {
    let time = now;
    const http = httpAnswering(ok);
    const verify = verifier(http, {}, { time: () => time });
    const text = await token({ exp: seconds + 120 });
    const checks = vi.spyOn(globalThis.crypto.subtle, "verify");
    for (let n = 0; n < 100; n++) expect(await verify(text)).toBeDefined();
    expect({ checks: checks.mock.calls.length, requests: http.requests }).toEqual({ checks: 1, requests: 1 });
    checks.mockRestore();
    time += 151_000;
    expect(await verify(text)).toBeUndefined();
  });

  it("given more than the cache holds, then the least recently used are checked again and all are right", async () => {
    const verify = verifier(httpAnswering(ok), {}, { cached: 2 });
    const tokens = await Promise.all(["a", "b", "c"].map((sub) => token({ sub })));
    for (const round of [1, 2]) for (const [i, text] of tokens.entries()) expect(await verify(text), `round ${round}`).toMatchObject({ subject: "abc"[i] });
  });
});

describe("an issuer", () => {
  it.each([
    ["is down", () => Promise.reject(new Error("connect ECONNREFUSED"))],
    ["answers an error", () => ({ status: 500, headers: {}, body: new Uint8Array() })],
    ["answers no key set", () => ({ status: 200, headers: {}, body: Buffer.from(`{"keys": 1}`) })],
    ["answers no JSON", () => ({ status: 200, headers: {}, body: Buffer.from("<html>") })],
  ])("given it %s, then that is said, and is not the caller's fault", async (_case, answer) => {
    const verify = verifier(httpAnswering(answer));
    await expect(verify(await token())).rejects.toMatchObject({ type: { code: "issuer-unavailable", status: 503 } });
  });

  it("given it is not listed, then nobody is asked for its keys", async () => {
    const http = httpAnswering(ok);
    const verify = verifier(http);
    await verify(await token({ iss: "https://evil.example" }));
    expect(http.requests).toBe(0);
  });

  it.each([
    ["a shared secret", [{ ...issuer, algorithms: ["HS256"] }], /HS256 is not accepted/],
    ["no signature", [{ ...issuer, algorithms: ["none"] }], /none is not accepted/],
    ["no algorithm", [{ ...issuer, algorithms: [] }], /at least one algorithm/],
    ["a second entry", [issuer, issuer], /listed twice/],
    ["one audience for both kinds of tokens", [{ ...issuer, client: { id: issuer.audience } }], /audience and client.id are the same/],
    ["the platform's own name", [{ ...issuer, issuer: "local" }], /local/],
  ])("given settings with %s, then they are refused", (_case, issuers, message) => {
    expect(() => knownIssuers(issuers, httpAnswering(ok))).toThrow(message);
  });
});

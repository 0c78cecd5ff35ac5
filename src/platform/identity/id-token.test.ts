import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type GenerateKeyPairResult, type JWTHeaderParameters } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import type { HttpClient } from "../http-client/types.ts";
import { createIdTokenVerifier } from "./id-token.ts";
import { knownIssuers, type JwtIssuer } from "./issuers.ts";

const now = Date.UTC(2026, 10, 21, 12);
const seconds = now / 1000;
const issuer: JwtIssuer = {
  issuer: "https://issuer.example", audience: "qinfra-api", algorithms: ["ES256"], jwksUrl: "https://issuer.example/keys",
  client: { id: "web" }, secondFactor: { claim: "acr", values: ["gold"] },
};
const withoutClient: JwtIssuer = { issuer: "https://machines.example", audience: "qinfra-api", algorithms: ["ES256"], jwksUrl: "https://issuer.example/keys" };
const ownIssuer = "https://qinfra.example/oidc";

let theirs: GenerateKeyPairResult;
let ours: GenerateKeyPairResult;
let http: HttpClient;
beforeAll(async () => {
  [theirs, ours] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
  const body = Buffer.from(JSON.stringify({ keys: [{ ...(await exportJWK(theirs.publicKey)), kid: "k1" }] }));
  http = { request: async () => ({ status: 200, headers: {}, body }), stream: async () => Promise.reject(new Error("not streamed")) };
});

function verifier() {
  const own = { issuer: ownIssuer, clients: ["qinfra-browser", "qinfra-cli"], algorithms: ["ES256"], keys: async () => ours.publicKey };
  return createIdTokenVerifier(knownIssuers([issuer, withoutClient], http), { clock: { now: () => now }, own });
}

function token(claims: Record<string, unknown> = {}, key: CryptoKey = theirs.privateKey, header: Partial<JWTHeaderParameters> = {}): Promise<string> {
  return new SignJWT({ iss: issuer.issuer, aud: "web", sub: "user-1", iat: seconds - 10, exp: seconds + 3600, ...claims }).setProtectedHeader({ alg: "ES256", kid: "k1", ...header }).sign(key);
}

const own = (claims: Record<string, unknown> = {}) => token({ iss: ownIssuer, aud: "qinfra-cli", ...claims }, ours.privateKey);

describe("an ID token", () => {
  it.each<[string, () => Promise<string>, boolean]>([
    ["good", () => token(), true],
    ["typed as Keycloak does", () => token({ typ: "ID", azp: "web" }, theirs.privateKey, { typ: "JWT" }), true],
    ["for several audiences, of which it names ours", () => token({ aud: ["web", "other"], azp: "web" }), true],
    ["of our own provider", () => own(), true],
    ["of our own provider for the browser", () => own({ aud: "qinfra-browser" }), true],
    ["older than five minutes", () => token({ iat: seconds - 331 }), false],
    ["from the future", () => token({ iat: seconds + 60 }), false],
    ["without its time", () => token({ iat: undefined }), false],
    ["expired", () => token({ exp: seconds - 60 }), false],
    ["not yet valid", () => token({ nbf: seconds + 60 }), false],
    ["for another client", () => token({ aud: "other" }), false],
    ["for several audiences without saying for which", () => token({ aud: ["web", "other"] }), false],
    ["made for another client", () => token({ aud: ["web", "other"], azp: "third" }), false],
    ["made for another client, of which it says that we may read it too", () => token({ aud: ["web", "other"], azp: "other" }), false],
    ["made for another client, for ours alone", () => token({ azp: "other" }), false],
    ["an access token for the API", () => token({ aud: "qinfra-api" }), false],
    ["an access token for the API and the client", () => token({ aud: ["web", "qinfra-api"], azp: "web" }), false],
    ["an access token by its type", () => token({}, theirs.privateKey, { typ: "at+jwt" }), false],
    ["an access token by what its payload says", () => token({ typ: "Bearer" }), false],
    ["of an issuer where people do not sign in", () => token({ iss: withoutClient.issuer, aud: "qinfra-api" }), false],
    ["of an issuer that nobody knows", () => token({ iss: "https://evil.example" }), false],
    ["of our own provider for a client of somebody else", () => own({ aud: "portal" }), false],
    ["of our own provider, signed by another", () => token({ iss: ownIssuer, aud: "qinfra-cli" }), false],
    ["of another, signed by our own provider", () => token({}, ours.privateKey), false],
    ["no token", async () => "a.b.c", false],
  ])("given one that is %s, then it is accepted: %#", async (_case, make, accepted) => {
    expect((await verifier()(await make())) !== undefined).toBe(accepted);
  });

  it.each<[string, () => Promise<string>, Record<string, unknown>]>([
    ["nothing of a second factor", () => token(), { own: false }],
    ["the configured claim", () => token({ acr: "gold", auth_time: seconds - 600 }), { own: false, secondFactor: true, authenticatedAt: seconds - 600 }],
    ["another value of it", () => token({ acr: "silver", amr: ["otp"] }), { own: false }],
    ["a passkey at our own provider", () => own({ amr: ["pwd", "hwk"] }), { own: true, secondFactor: true }],
    ["a password at our own provider", () => own({ amr: ["pwd"] }), { own: true }],
  ])("given one that tells %s, then so much is known", async (_case, make, known) => {
    const { own: ours, secondFactor, authenticatedAt } = (await verifier()(await make())) ?? {};
    expect({ own: ours, secondFactor, authenticatedAt }).toEqual({ secondFactor: undefined, authenticatedAt: undefined, ...known });
  });

  it("given another signature that is as good, then it is the same token", async () => {
    const verify = verifier();
    const text = await token();
    const dot = text.lastIndexOf(".");
    // ECDSA: with (r, s), (r, n - s) is a signature of the same as well; n is the order of P-256.
    const signature = Buffer.from(text.slice(dot + 1), "base64url");
    const order = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    const other = (order - BigInt(`0x${signature.subarray(32).toString("hex")}`)).toString(16).padStart(64, "0");
    const again = `${text.slice(0, dot)}.${Buffer.concat([signature.subarray(0, 32), Buffer.from(other, "hex")]).toString("base64url")}`;
    const [first, second] = [await verify(text), await verify(again)];
    expect(again).not.toBe(text);
    expect(first?.digest.toString("hex")).toMatch(/^[0-9a-f]{64}$/);
    expect(second?.digest).toEqual(first?.digest);
    expect((await verify(await token({ jti: "another" })))?.digest).not.toEqual(first?.digest);
  });
});

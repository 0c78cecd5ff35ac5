import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { DeclaredError } from "../errors.ts";
import { createRelyingParty, type SignInIssuer } from "./relying-party.ts";

const issuer = "https://sso.example/realm";
const redirectUri = "https://qinfra.example/auth/callback";
const { privateKey, publicKey } = await generateKeyPair("ES256");

interface Behaviour {
  metadata?: Record<string, unknown> | string;
  metadataStatus?: number;
  nonce?: string;
  audience?: string;
  tokenStatus?: number;
  fails?: boolean;
}

/** A simulated issuer: metadata, and a token endpoint that checks PKCE. */
function simulated(behaviour: Behaviour = {}) {
  const asked: URL[] = [];
  let challenge = "";
  let nonce = "";
  const json = (body: unknown, status = 200) => new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
  const fetch: SignInIssuer["fetch"] = async (url, { body }) => {
    asked.push(new URL(url));
    if (behaviour.fails === true) throw new TypeError("connection refused");
    if (url.endsWith("/.well-known/openid-configuration")) {
      return json(behaviour.metadata ?? {
        issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys`, response_types_supported: ["code"],
        id_token_signing_alg_values_supported: ["ES256"], subject_types_supported: ["public"],
      }, behaviour.metadataStatus);
    }
    if (url.endsWith("/keys")) return json({ keys: [{ ...(await exportJWK(publicKey)), alg: "ES256", kid: "1" }] });
    if (behaviour.tokenStatus !== undefined) return json({ error: "invalid_grant" }, behaviour.tokenStatus);
    const form = new URLSearchParams(String(body));
    if (createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url") !== challenge) return json({ error: "invalid_grant" }, 400);
    const idToken = await new SignJWT({ nonce: behaviour.nonce ?? nonce }).setProtectedHeader({ alg: "ES256", kid: "1" })
      .setIssuer(issuer).setAudience(behaviour.audience ?? "qinfra").setSubject("u1").setIssuedAt().setExpirationTime("5m").sign(privateKey);
    return json({ access_token: "a", token_type: "Bearer", id_token: idToken });
  };
  let now = Date.now();
  const party = createRelyingParty([{ issuer, label: "SSO", clientId: "qinfra", clientSecret: "s", fetch }], { clock: { now: () => now } });
  return {
    party, asked, advance: (ms: number) => void (now += ms),
    /** Begins, and answers as a browser would that comes back. */
    async begin() {
      const { url, flow } = await party.begin(issuer, redirectUri);
      challenge = new URL(url).searchParams.get("code_challenge") as string;
      nonce = new URL(url).searchParams.get("nonce") as string;
      return { url: new URL(url), flow, back: (query: Record<string, string>) => new URL(`${redirectUri}?${new URLSearchParams({ state: flow.state, code: "c", ...query }).toString()}`) };
    },
  };
}

function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => "ok", (error: unknown) => (error instanceof DeclaredError ? error.type.code : String(error)));
}

describe("another issuer", () => {
  test("is asked with code, PKCE, state and nonce, and its ID token comes back", async () => {
    const { party, begin } = simulated();
    const { url, flow, back } = await begin();
    expect(url.origin + url.pathname).toBe(`${issuer}/auth`);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ client_id: "qinfra", scope: "openid", response_type: "code", redirect_uri: redirectUri, state: flow.state, code_challenge_method: "S256" });
    expect(url.href).not.toContain(flow.verifier);
    expect(await party.finish(flow, back({}))).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  test("is asked for what it says of itself once an hour, and again at once when it did not say", async () => {
    const behaviour: Behaviour = { metadataStatus: 500 };
    const { begin, asked, party, advance } = simulated(behaviour);
    expect(await codeOf(party.begin(issuer, redirectUri))).toBe("issuer-unavailable");
    delete behaviour.metadataStatus;
    await begin();
    await begin();
    expect(asked).toHaveLength(2);
    advance(3_600_000);
    await begin();
    expect(asked).toHaveLength(3);
  });

  test.each<[string, Behaviour, Record<string, string>, string]>([
    ["a state of another", {}, { state: "x" }, "sign-in-unfinished"],
    ["an issuer of another", {}, { iss: "https://evil.example" }, "sign-in-unfinished"],
    ["a nonce of another", { nonce: "x" }, {}, "sign-in-unfinished"],
    ["an audience of another", { audience: "another" }, {}, "sign-in-unfinished"],
    ["a code that is not taken", { tokenStatus: 400 }, {}, "sign-in-unfinished"],
    ["a refusal", {}, { error: "access_denied", error_description: "<b>no</b>" }, "sign-in-refused"],
  ])("given an answer with %s, then there is no ID token", async (_case, behaviour, query, code) => {
    const { party, begin } = simulated(behaviour);
    const { flow, back } = await begin();
    expect(await codeOf(party.finish(flow, back(query)))).toBe(code);
  });

  test("given a verifier of another, then the issuer refuses", async () => {
    const { party, begin } = simulated();
    const { flow, back } = await begin();
    expect(await codeOf(party.finish({ ...flow, verifier: "x".repeat(43) }, back({})))).toBe("sign-in-unfinished");
  });

  test.each<[string, Behaviour]>([
    ["does not answer", { fails: true }], ["answers garbage", { metadata: "<html>" }], ["answers with an error", { metadataStatus: 500 }],
    ["calls itself something else", { metadata: { issuer: "https://evil.example", authorization_endpoint: "https://evil.example/auth" } }],
  ])("given that it %s, then that is said, and nobody is sent anywhere", async (_case, behaviour) => {
    expect(await codeOf(simulated(behaviour).party.begin(issuer, redirectUri))).toBe("issuer-unavailable");
  });

  test("that nobody named is not asked", async () => {
    const { party, asked } = simulated();
    expect([await codeOf(party.begin("https://evil.example", redirectUri)), asked]).toEqual(["issuer-unknown", []]);
  });
});

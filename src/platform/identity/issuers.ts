import { createRemoteJWKSet, customFetch, errors, jwtVerify, type FetchImplementation, type JWTHeaderParameters, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { DeclaredError, errorType } from "../errors.ts";
import type { HttpClient } from "../http-client/types.ts";

/** An issuer whose tokens are accepted. Its keys are read from `jwksUrl` (RFC 7517). */
export interface JwtIssuer {
  issuer: string;
  /** Of access tokens. */
  audience: string;
  algorithms: readonly string[];
  jwksUrl: string;
  /** With it people sign in there; its id is the audience of ID tokens. */
  client?: { id: string } | undefined;
  /** Path of the claim that lists groups, and the values that count. */
  roles?: { claim: string; map: Readonly<Record<string, string>> } | undefined;
  /** The claim that tells of a second factor, and the values that do. */
  secondFactor?: { claim: string; values: readonly string[] } | undefined;
}

export interface KnownIssuer {
  settings: JwtIssuer;
  keys: JWTVerifyGetKey;
}

export const IssuerUnavailable = errorType("issuer-unavailable", 503, "The keys of the token's issuer cannot be read");

const asymmetric = new Set(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]);
const jwksBytes = 256 * 1024;
/** A key that its issuer withdraws stops counting after this, and after the cache of verified tokens. */
const jwksMs = 5 * 60_000;
/** A new key is asked for this often at most, so that tokens that name made-up keys do not become a load for the issuer. */
const cooldownMs = 5_000;
const longestToken = 8_192;
const longestSubject = 1_000;

/** Seconds by which clocks may differ. */
export const clockToleranceSeconds = 30;

/** The issuers by name, each with its keys. Throws for an issuer whose settings are not safe. */
export function knownIssuers(issuers: readonly JwtIssuer[], http: HttpClient): ReadonlyMap<string, KnownIssuer> {
  const known = new Map<string, KnownIssuer>();
  for (const settings of issuers) {
    const { issuer, algorithms, jwksUrl } = settings;
    const unsafe = algorithms.find((algorithm) => !asymmetric.has(algorithm));
    if (unsafe !== undefined || algorithms.length === 0) {
      throw new Error(`JWT issuer ${issuer}: ${unsafe === undefined ? "name at least one algorithm" : `the algorithm ${unsafe} is not accepted`}; use ${[...asymmetric].join(", ")}`);
    }
    if (issuer === "local") throw new Error("JWT issuer local: that name is the platform's own; use the issuer's URL");
    if (known.has(issuer)) throw new Error(`JWT issuer ${issuer} is listed twice`);
    if (settings.client?.id === settings.audience) throw new Error(`JWT issuer ${issuer}: audience and client.id are the same, so that an ID token could be used as an access token; register the API by itself`);
    const keys = createRemoteJWKSet(new URL(jwksUrl), { [customFetch]: fetchWith(http), timeoutDuration: 5_000, cacheMaxAge: jwksMs, cooldownDuration: cooldownMs });
    known.set(issuer, { settings, keys });
  }
  return known;
}

export interface Expected {
  issuer: string;
  audience: string | string[];
  algorithms: readonly string[];
  keys: JWTVerifyGetKey;
  /** Claims that must be there beside `exp` and `sub`. */
  claims?: readonly string[];
}

export interface Checked {
  header: JWTHeaderParameters;
  payload: JWTPayload & { iss: string; sub: string; exp: number };
}

/** Checks signature, issuer, audience and times (RFC 7519, RFC 8725). Undefined for a token that is not accepted. Errors: IssuerUnavailable. */
export async function checkedToken(token: string, expected: Expected, now: number): Promise<Checked | undefined> {
  if (token.length > longestToken) return undefined;
  try {
    const { payload, protectedHeader } = await jwtVerify(token, expected.keys, {
      issuer: expected.issuer, audience: expected.audience, algorithms: [...expected.algorithms], requiredClaims: ["exp", "sub", ...(expected.claims ?? [])],
      clockTolerance: clockToleranceSeconds, currentDate: new Date(now),
    });
    const { iss, sub, exp, iat } = payload;
    if (iss === undefined || exp === undefined || !usable(sub)) return undefined;
    if (iat !== undefined && iat > now / 1000 + clockToleranceSeconds) return undefined;
    return { header: protectedHeader, payload: { ...payload, iss, sub, exp } };
  } catch (error) {
    if (error instanceof KeysUnreadable || error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) {
      throw new DeclaredError(IssuerUnavailable, `The keys of ${expected.issuer} cannot be read; try again in a moment.`, undefined, error);
    }
    if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException) return undefined;
    throw error;
  }
}

/** PostgreSQL's text holds no NUL, and the answer to one token must not spoil that of others. */
function usable(subject: string | undefined): subject is string {
  return subject !== undefined && subject !== "" && subject.length <= longestSubject && !subject.includes("\0") && subject.isWellFormed();
}

class KeysUnreadable extends Error {}

/** jose asks for the keys through the platform's one way out. */
function fetchWith(http: HttpClient): FetchImplementation {
  return async (url, { headers, signal }) => {
    const answer = await http.request({ url, headers: Object.fromEntries(headers), signal, timeoutMs: 5_000, maxBytes: jwksBytes, attempts: 2 }).catch((cause: unknown) => {
      throw new KeysUnreadable("the request for the keys failed", { cause });
    });
    if (answer.status !== 200) throw new KeysUnreadable(`the request for the keys answered ${answer.status}`);
    const text = Buffer.from(answer.body).toString("utf8");
    if (!isJson(text)) throw new KeysUnreadable("the answer for the keys is not JSON");
    return new Response(text, { status: 200, headers: { "content-type": "application/json" } });
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

import { createHash } from "node:crypto";
import { createRemoteJWKSet, customFetch, decodeJwt, errors, jwtVerify, type FetchImplementation, type JWTPayload, type RemoteJWKSet } from "jose";
import type { Clock } from "../clock.ts";
import { DeclaredError, errorType } from "../errors.ts";
import type { HttpClient } from "../http-client/types.ts";
import { createLru } from "./lru.ts";

/** An issuer whose tokens are accepted. Its keys are read from `jwksUrl` (RFC 7517). */
export interface JwtIssuer {
  issuer: string;
  audience: string;
  algorithms: readonly string[];
  jwksUrl: string;
}

/** Whom a verified token speaks of. */
export interface JwtSubject {
  issuer: string;
  subject: string;
}

/** Undefined for a token that is not accepted, whatever is wrong with it. Errors: IssuerUnavailable. */
export type VerifyJwt = (token: string) => Promise<JwtSubject | undefined>;

export const IssuerUnavailable = errorType("issuer-unavailable", 503, "The keys of the token's issuer cannot be read");

const asymmetric = new Set(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]);
const longestToken = 8_192;
const longestName = 1_000;
const clockToleranceSeconds = 30;
const cacheMs = 5 * 60_000; // so that a key which its issuer withdraws stops counting soon
const jwksBytes = 256 * 1024;

/**
 * Verifies bearer JWTs (RFC 7519) of the listed issuers. The cache of verified tokens holds the signature check only:
 * what a subject may do is asked of the database each time. Throws for an issuer whose settings are not safe.
 */
export function createJwtVerifier(issuers: readonly JwtIssuer[], ports: { http: HttpClient; clock: Clock; cached?: number }): VerifyJwt {
  const { http, clock, cached = 10_000 } = ports;
  const known = new Map<string, { issuer: JwtIssuer; keys: RemoteJWKSet }>();
  for (const issuer of issuers) {
    const unsafe = issuer.algorithms.find((algorithm) => !asymmetric.has(algorithm));
    if (unsafe !== undefined || issuer.algorithms.length === 0) {
      throw new Error(`JWT issuer ${issuer.issuer}: ${unsafe === undefined ? "name at least one algorithm" : `the algorithm ${unsafe} is not accepted`}; use ${[...asymmetric].join(", ")}`);
    }
    if (issuer.issuer === "local") throw new Error("JWT issuer local: that name is the platform's own; use the issuer's URL");
    if (known.has(issuer.issuer)) throw new Error(`JWT issuer ${issuer.issuer} is listed twice`);
    known.set(issuer.issuer, { issuer, keys: createRemoteJWKSet(new URL(issuer.jwksUrl), { [customFetch]: fetchWith(http), timeoutDuration: 5_000 }) });
  }
  const verified = createLru<JwtSubject>(cached);

  return async (token) => {
    if (token.length > longestToken) return undefined;
    const now = clock.now();
    const key = createHash("sha256").update(token).digest("base64url");
    const hit = verified.get(key, now);
    if (hit !== undefined) return hit;
    const entry = known.get(claimedIssuer(token) ?? "");
    if (entry === undefined) return undefined;
    const payload = await verifiedPayload(token, entry.issuer, entry.keys, now);
    if (payload?.iss === undefined || payload.exp === undefined || !usable(payload.sub)) return undefined;
    const subject = { issuer: payload.iss, subject: payload.sub };
    verified.set(key, subject, Math.min((payload.exp + clockToleranceSeconds) * 1000, now + cacheMs));
    return subject;
  };
}

/** PostgreSQL's text holds no NUL, and the answer to one token must not spoil that of others. */
function usable(subject: string | undefined): subject is string {
  return subject !== undefined && subject !== "" && subject.length <= longestName && !subject.includes("\0") && subject.isWellFormed();
}

function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

async function verifiedPayload(token: string, issuer: JwtIssuer, keys: RemoteJWKSet, now: number): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: issuer.issuer, audience: issuer.audience, algorithms: [...issuer.algorithms], requiredClaims: ["exp", "sub"],
      clockTolerance: clockToleranceSeconds, currentDate: new Date(now),
    });
    return payload;
  } catch (error) {
    if (error instanceof KeysUnreadable || error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) {
      throw new DeclaredError(IssuerUnavailable, `The keys of ${issuer.issuer} cannot be read; try again in a moment.`, undefined, error);
    }
    if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException) return undefined;
    throw error;
  }
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

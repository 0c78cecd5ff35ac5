import { createHash } from "node:crypto";
import { decodeJwt } from "jose";
import type { Clock } from "../clock.ts";
import { claimsOf, type TokenClaims } from "./claims.ts";
import { checkedToken, clockToleranceSeconds, type Checked, type JwtIssuer, type KnownIssuer } from "./issuers.ts";
import { createLru } from "./lru.ts";

/** What a bearer token says. Undefined for one that is not accepted, whatever is wrong with it. Errors: IssuerUnavailable. */
export type VerifyJwt = (token: string) => Promise<TokenClaims | undefined>;

const cacheMs = 5 * 60_000;

/**
 * Verifies bearer JWTs (RFC 7519, RFC 9068) of the known issuers. The cache of verified tokens holds what is signed only:
 * what a subject may do is asked of the database each time.
 */
export function createJwtVerifier(known: ReadonlyMap<string, KnownIssuer>, ports: { clock: Clock; cached?: number }): VerifyJwt {
  const { clock, cached = 10_000 } = ports;
  const verified = createLru<TokenClaims>(cached);

  return async (token) => {
    const now = clock.now();
    const key = createHash("sha256").update(token).digest("base64url");
    const hit = verified.get(key, now);
    if (hit !== undefined) return hit;
    const entry = known.get(claimedIssuer(token) ?? "");
    if (entry === undefined) return undefined;
    const { settings, keys } = entry;
    const checked = await checkedToken(token, { ...settings, keys, ...(settings.roles !== undefined && { claims: ["iat"] }) }, now);
    if (checked === undefined || !isAccessToken(checked, settings)) return undefined;
    const claims = claimsOf(settings, checked.payload);
    verified.set(key, claims, Math.min((checked.payload.exp + clockToleranceSeconds) * 1000, now + cacheMs));
    return claims;
  };
}

/** The issuer that a token names, before anything is verified. */
export function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/**
 * RFC 8725, 3.11 and 3.12: kinds of tokens are told apart. An ID token has its client as audience; Keycloak says in the
 * payload's `typ` what it is. A token that is bound to a key (`cnf`, RFC 7800) is no bearer token.
 */
function isAccessToken({ header, payload }: Checked, { client }: JwtIssuer): boolean {
  if (header.typ !== undefined && !["jwt", "at+jwt", "application/at+jwt"].includes(header.typ.toLowerCase())) return false;
  if (client !== undefined && [payload.aud].flat().includes(client.id)) return false;
  if (payload["typ"] !== undefined && payload["typ"] !== "Bearer") return false;
  return payload["cnf"] === undefined;
}

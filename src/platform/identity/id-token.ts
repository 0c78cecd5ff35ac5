import { createHash } from "node:crypto";
import type { JWTVerifyGetKey } from "jose";
import type { Clock } from "../clock.ts";
import { claimsOf, type TokenClaims } from "./claims.ts";
import { checkedToken, clockToleranceSeconds, type Checked, type KnownIssuer } from "./issuers.ts";
import { claimedIssuer } from "./jwt.ts";

/** The platform's own provider; its keys are in the process. */
export interface OwnIssuer {
  issuer: string;
  /** Clients of the platform itself: other clients' ID tokens begin no session. */
  clients: readonly string[];
  algorithms: readonly string[];
  keys: JWTVerifyGetKey;
}

export interface IdTokenClaims extends TokenClaims {
  /** The token is of the platform's own provider. */
  own: boolean;
  issuedAt: number;
  /** Seconds since 1970; when the person was last asked. */
  authenticatedAt?: number;
  /** UUID of the session of the platform on whose word the own provider gave the token, without asking the person anew. */
  session?: string;
  /** SHA-256 of what is signed: another spelling of the signature is the same token. */
  digest: Buffer;
  /** Seconds since 1970 from which every server refuses it anyway. */
  until: number;
}

/** Undefined for a token that is not accepted. Errors: IssuerUnavailable. */
export type VerifyIdToken = (token: string) => Promise<IdTokenClaims | undefined>;

const oldestSeconds = 5 * 60;
/** RFC 8176; `hwk` is a passkey. */
const ownSecondFactor = { claim: "amr", values: ["otp", "hwk", "mfa"] };

/** Verifies ID tokens (OpenID Connect Core 1.0, 3.1.3.7) that are fresh. `nonce` is the business of who asked for the token. */
export function createIdTokenVerifier(known: ReadonlyMap<string, KnownIssuer>, ports: { clock: Clock; own?: OwnIssuer }): VerifyIdToken {
  const { clock, own } = ports;

  return async (token) => {
    const now = clock.now();
    const issuer = claimedIssuer(token);
    if (issuer === undefined) return undefined;
    if (issuer === own?.issuer) {
      const checked = await checkedToken(token, { ...own, audience: [...own.clients], claims: ["iat"] }, now);
      return checked === undefined ? undefined : read(token, checked, { own: true, clients: own.clients, secondFactor: ownSecondFactor }, now);
    }
    const entry = known.get(issuer);
    if (entry?.settings.client === undefined) return undefined;
    const { settings, keys } = entry;
    const checked = await checkedToken(token, { ...settings, audience: entry.settings.client.id, keys, claims: ["iat"] }, now);
    if (checked === undefined || [checked.payload.aud].flat().includes(settings.audience)) return undefined;
    return read(token, checked, { own: false, clients: [entry.settings.client.id], roles: settings.roles, secondFactor: settings.secondFactor }, now);
  };
}

type Reading = Pick<KnownIssuer["settings"], "roles" | "secondFactor"> & { own: boolean; clients: readonly string[] };

function read(token: string, { header, payload }: Checked, reading: Reading, now: number): IdTokenClaims | undefined {
  const { iat, aud, azp, typ, auth_time: authTime, session } = payload as typeof payload & { azp?: unknown; typ?: unknown; auth_time?: unknown; session?: unknown };
  if (iat === undefined || iat + oldestSeconds + clockToleranceSeconds <= now / 1000) return undefined;
  if (header.typ !== undefined && header.typ.toLowerCase() !== "jwt") return undefined;
  if (typ !== undefined && typ !== "ID") return undefined;
  // With several audiences, the one that the token was made for is named; another client of the issuer signs nobody in here.
  if (Array.isArray(aud) && aud.length > 1 && azp === undefined) return undefined;
  if (azp !== undefined && !reading.clients.includes(azp as string)) return undefined;
  return {
    ...claimsOf(reading, payload), own: reading.own, issuedAt: iat,
    ...(typeof authTime === "number" && { authenticatedAt: authTime }),
    ...(reading.own && typeof session === "string" && { session }),
    digest: createHash("sha256").update(token.slice(0, token.lastIndexOf("."))).digest(),
    until: iat + oldestSeconds + 2 * clockToleranceSeconds,
  };
}

import type { JWTPayload } from "jose";
import type { JwtIssuer } from "./issuers.ts";

/** What a verified token says of somebody, as far as the platform has a use for it. */
export interface TokenClaims {
  issuer: string;
  subject: string;
  /** Seconds since 1970; absent where the token does not say. */
  issuedAt?: number;
  /** Values of the issuer's claim of groups that its settings name; absent where they name none. */
  groups?: readonly string[];
  /** The issuer's claim says that a second factor was given; absent where it does not. */
  secondFactor?: true;
  /** A program that acts for itself, as by a grant of client credentials. */
  service: boolean;
  username?: string;
  displayName?: string;
  email?: string;
}

export function claimsOf(settings: Pick<JwtIssuer, "roles" | "secondFactor">, payload: JWTPayload & { iss: string; sub: string }): TokenClaims {
  const username = text(payload["preferred_username"], 200);
  const email = text(payload["email"], 254);
  const displayName = text(payload["name"], 200);
  return {
    issuer: payload.iss, subject: payload.sub, service: isService(payload),
    ...(payload.iat !== undefined && { issuedAt: payload.iat }),
    ...(tellsSecondFactor(payload, settings.secondFactor) && { secondFactor: true }),
    ...(settings.roles !== undefined && { groups: groupsOf(payload, settings.roles) }),
    ...(username !== undefined && { username }), ...(email !== undefined && { email }), ...(displayName !== undefined && { displayName }),
  };
}

function tellsSecondFactor(payload: JWTPayload, claim: JwtIssuer["secondFactor"]): boolean {
  return claim !== undefined && valuesOf(valueAt(payload, claim.claim)).some((value) => claim.values.includes(value));
}

/** The values at `a.b.c` that the map names; a claim whose own name holds dots (a URL) is found as well. */
function groupsOf(payload: JWTPayload, { claim, map }: NonNullable<JwtIssuer["roles"]>): string[] {
  return valuesOf(valueAt(payload, claim)).filter((value) => Object.hasOwn(map, value));
}

/** The value of a claim by its name, or by a path of names. */
function valueAt(payload: JWTPayload, claim: string): unknown {
  if (Object.hasOwn(payload, claim)) return payload[claim];
  return claim.split(".").reduce<unknown>((at, name) => (typeof at === "object" && at !== null && Object.hasOwn(at, name) ? (at as Record<string, unknown>)[name] : undefined), payload);
}

/** A list of texts, or one text as a list of one. */
function valuesOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/**
 * Whether a client acts for itself, so that no person stands behind the token. RFC 9068, 2.2: the subject is the client
 * then (`client_id`; `cid` at Okta, `azp` elsewhere). Keycloak gives each client a user named after it, Auth0 a subject
 * made of its id, and Entra ID says `idtyp`. An e-mail address makes no person of it: service accounts may have one.
 */
function isService(payload: JWTPayload): boolean {
  if (payload["idtyp"] === "app") return true;
  const client = payload["client_id"] ?? payload["cid"] ?? payload["azp"];
  if (typeof client !== "string" || client === "") return false;
  const username = payload["preferred_username"];
  return payload.sub === client || payload.sub === `${client}@clients`
    || (typeof username === "string" && username.toLowerCase() === `service-account-${client}`.toLowerCase());
}

function text(value: unknown, longest: number): string | undefined {
  if (typeof value !== "string") return undefined;
  const line = value.toWellFormed().replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
  return line === "" || line.length > longest ? undefined : line;
}

import type { Logger } from "pino";
import { anonymous, type Actor } from "../../platform/actor.ts";
import { timestamp, type Clock } from "../../platform/clock.ts";
import type { Database } from "../../platform/database/database.ts";
import { errorType, fail, Unauthenticated } from "../../platform/errors.ts";
import { createBatcher } from "../../platform/identity/batch.ts";
import type { VerifyJwt } from "../../platform/identity/jwt.ts";
import { createLru } from "../../platform/identity/lru.ts";
import { isAccessToken, isSessionToken, parseApiKey, sameHash, tokenHash } from "../../platform/identity/tokens.ts";
import { fromTypeId } from "../../platform/ids.ts";
import type { Authenticate, Credentials } from "../../platform/operation/services.ts";
import { standingsOfIdentities, standingsOfKeys, standingsOfSessions, type KeyStanding, type SessionStanding, type Standing } from "./credential-views.ts";
import type { SettleClaims } from "./external/settle.ts";
import { isStillAllowed, standingsOfAccessTokens } from "./provider/access-token-views.ts";
import { intersect, permissionsOf } from "./roles.ts";
import { createUseNotes } from "./use-notes.ts";
import { organizationById } from "./views.ts";

export const CsrfMissing = errorType("csrf-missing", 403, "The request did not prove that a page of the platform sent it");

export interface Authentication {
  authenticate: Authenticate;
  /** Settings of an organization, as of its last authenticated request or newer. */
  settingsOf(orgId: string): Promise<Record<string, unknown>>;
  /** Whether a person lets an application act for them still; `grant` as its actor names it. */
  stillAllowed(grant: string, userId: string): Promise<boolean>;
  /** Keeps nothing of the organization in memory any longer. */
  forget(orgId: string): void;
  /** Resolves when the last uses noted so far are written: before the database is closed. */
  settled(): Promise<void>;
}

export interface AuthenticationPorts {
  database: Database;
  clock: Clock;
  log: Logger;
  verifyJwt: VerifyJwt;
  settleClaims: SettleClaims;
  /** The platform's origin, for which the embedded provider gives tokens to other applications; without it none counts. */
  audience?: string;
}

const mostSettings = 10_000;
const mostKeys = 10_000;

/**
 * Says who stands behind a credential. The database is asked each time, in one statement that the requests of the
 * moment share, so that a revoked credential or a removed membership is refused at once on every server.
 * Whatever is wrong with a credential, the answer is the same 401.
 */
export function createAuthentication(ports: AuthenticationPorts): Authentication {
  const { database, clock, verifyJwt, settleClaims, audience } = ports;
  const ask = database.lookup;
  const sessionOf = createBatcher((asked: readonly { hash: Buffer; orgId: string | undefined }[]) => ask((db) => standingsOfSessions(db, asked)));
  const keyOf = createBatcher((prefixes: readonly string[]) => ask((db) => standingsOfKeys(db, prefixes)));
  const identityOf = createBatcher((asked: readonly { issuer: string; subject: string; orgId: string | undefined }[]) => ask((db) => standingsOfIdentities(db, asked)));
  const accessTokenOf = createBatcher((asked: readonly { hash: Buffer; orgId: string | undefined }[]) =>
    (audience === undefined ? Promise.resolve(asked.map(() => undefined)) : ask((db) => standingsOfAccessTokens(db, asked, { audience, now: timestamp(clock) }))));
  const keyPermissions = createLru<readonly string[]>(mostKeys);
  const settings = createLru<Record<string, unknown>>(mostSettings);
  const uses = createUseNotes(ports);

  async function bearer(token: string, orgId: string | undefined): Promise<Actor> {
    if (token.startsWith("qik_")) return apiKey(token, orgId);
    if (token.startsWith("qis_")) return (await session(token, "cli", orgId)) ?? refuse();
    return isAccessToken(token) ? accessToken(token, orgId) : jwt(token, orgId);
  }

  async function apiKey(token: string, orgId: string | undefined): Promise<Actor> {
    const parsed = parseApiKey(token) ?? refuse();
    const found = (await keyOf(parsed.prefix)) ?? refuse();
    if (!sameHash(found.hash, parsed.hash)) refuse();
    if (found.expires <= clock.now()) refuse();
    if (orgId !== undefined && orgId !== found.org_id) refuse();
    uses.note("keys", parsed.prefix, found.used);
    const actor = actorOf(found);
    return { ...actor, kind: "api-key", keyId: found.id, permissions: permissionsOfKey(found, actor), ai: found.agent };
  }

  /** Scopes never change, so what they leave of a role is worked out once. */
  function permissionsOfKey(key: KeyStanding, { permissions }: Actor): readonly string[] {
    const name = `${key.id} ${key.role} ${key.is_platform}`;
    const known = keyPermissions.get(name, 0);
    if (known !== undefined) return known;
    const both = intersect(key.scopes, permissions);
    keyPermissions.set(name, both, Infinity);
    return both;
  }

  async function session(token: string, door: SessionStanding["door"], orgId: string | undefined): Promise<Actor | undefined> {
    if (!isSessionToken(token)) return undefined;
    const found = await sessionOf({ hash: tokenHash(token), orgId });
    if (found === undefined || found.door !== door || found.expires <= clock.now()) return undefined;
    uses.note("sessions", found.id, found.used);
    return {
      ...actorOf(found), sessionId: found.id, mustChangePassword: found.must_change, secondFactor: found.second_factor,
      ...(found.confirmed === null ? {} : { confirmedAt: found.confirmed }),
    };
  }

  /** Another application acts, as far as the person let it. Whether an AI stands behind it nobody knows, so that it counts as one. */
  async function accessToken(token: string, orgId: string | undefined): Promise<Actor> {
    const found = (await accessTokenOf({ hash: tokenHash(token), orgId })) ?? refuse();
    const actor = actorOf(found);
    return {
      ...actor, kind: "api-key", permissions: intersect(found.scope.split(" "), actor.permissions), ai: true, grant: found.allowed,
      mustChangePassword: found.must_change, secondFactor: found.second_factor,
    };
  }

  async function jwt(token: string, orgId: string | undefined): Promise<Actor> {
    const claims = (await verifyJwt(token)) ?? refuse();
    await settleClaims(claims);
    const found = (await identityOf({ issuer: claims.issuer, subject: claims.subject, orgId })) ?? refuse();
    const actor = actorOf(found);
    if (claims.service || found.kind === "service") return { ...actor, kind: "service" };
    return claims.secondFactor === true ? { ...actor, secondFactor: true } : actor;
  }

  function actorOf(standing: Standing): Actor {
    settings.set(standing.org_id, standing.settings, Infinity);
    return {
      ...anonymous, kind: "user", userId: standing.user_id, orgId: standing.org_id, platform: standing.is_platform,
      roles: [standing.role], permissions: permissionsOf(standing.role, standing.is_platform),
      ...(standing.closes === null ? {} : { closesAt: standing.closes }),
    };
  }

  return {
    async authenticate(credentials) {
      const orgId = organizationOf(credentials);
      if (credentials.authorization !== undefined) return bearer(bearerToken(credentials.authorization), orgId);
      if (credentials.cookie === undefined) return anonymous;
      // A browser keeps cookies of sessions that are over; with one of those it is simply not signed in.
      const actor = await session(credentials.cookie.session, "browser", orgId);
      if (actor === undefined) return anonymous;
      if (!credentials.cookie.csrf) fail(CsrfMissing, "The request came without its CSRF token; load the page again and repeat it.");
      return actor;
    },
    stillAllowed: (grant, userId) => ask((db) => isStillAllowed(db, grant, userId, timestamp(clock))),
    async settingsOf(orgId) {
      // Its own authentication has just put them here for a request; only an evicted organization is asked for again.
      const known = settings.get(orgId, clock.now());
      if (known !== undefined) return known;
      const row = await database.system((db) => organizationById(db, orgId));
      return row?.settings ?? {};
    },
    forget: (orgId) => settings.set(orgId, {}, 0),
    settled: uses.settled,
  };
}

function bearerToken(authorization: string): string {
  const match = /^bearer +([\x21-\x7e]{1,10000})$/i.exec(authorization);
  return match?.[1] ?? refuse();
}

function organizationOf(credentials: Credentials): string | undefined {
  if (credentials.organization === undefined) return undefined;
  return fromTypeId("org", credentials.organization) ?? refuse();
}

function refuse(): never {
  fail(Unauthenticated, "The credential is not valid here, or no longer: sign in again, or use another API key.");
}

import type { Logger } from "pino";
import { anonymous } from "../../../platform/actor.ts";
import { timestamp, type Clock } from "../../../platform/clock.ts";
import type { Database, Db } from "../../../platform/database/database.ts";
import type { TokenClaims } from "../../../platform/identity/claims.ts";
import { createLru } from "../../../platform/identity/lru.ts";
import type { Ids } from "../../../platform/ids.ts";
import type { Services } from "../../../platform/operation/services.ts";
import { MemberAdded, MemberRemoved, MemberRoleSet } from "../events.ts";
import { claimMembership, completeUser, insertExternalUser, lockIdentity, noteClaim } from "../external-store.ts";
import { knownOf, type KnownRow } from "../external-views.ts";
import { orgTypeId, userTypeId } from "../ids.ts";
import type { Role } from "../roles.ts";
import { deleteMembership } from "../store.ts";
import { changeBy, claimedRole, type Change, type Claimed } from "./claimed-standing.ts";
import { loginNames } from "./login-name.ts";

/** Groups of an issuer, the roles that they give, and the slug of the organization where they give them. */
export interface IssuerRoles {
  issuer: string;
  map: Readonly<Record<string, Role>>;
  organization: string;
}

/** Writes down what a verified token says of memberships, where that is news. */
export type SettleClaims = (claims: TokenClaims) => Promise<void>;

export interface SettlePorts {
  database: Database;
  clock: Clock;
  ids: Ids;
  log: Logger;
  appender: Services["appender"];
}

const remembered = 10_000;

/**
 * Just-in-time membership. Each token is looked at once by each server; what is settled stands in the database, so that
 * requests ask for nothing more than before. Servers that hear of somebody at once go one after the other.
 */
export function createSettleClaims(issuers: readonly IssuerRoles[], ports: SettlePorts): SettleClaims {
  const { database, clock, ids, log, appender } = ports;
  const mapped = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
  const heard = createLru<Promise<void>>(remembered);

  return (claims) => {
    const settings = mapped.get(claims.issuer);
    if (settings === undefined || claims.issuedAt === undefined) return Promise.resolve();
    const role = claimedRole(claims.groups ?? [], settings.map);
    const claimed = { issuer: claims.issuer, issuedAt: Math.floor(claims.issuedAt * 1000), ...(role !== undefined && { role }) };
    const key = JSON.stringify([claims.issuer, claims.subject, claimed.issuedAt, role]);
    const settled = heard.get(key, 0) ?? settle(settings, claims, claimed);
    heard.set(key, settled, Infinity);
    settled.catch(() => heard.delete(key));
    return settled;
  };

  async function settle(settings: IssuerRoles, claims: TokenClaims, claimed: Claimed): Promise<void> {
    const { issuer, subject } = claims;
    const known = await database.lookup((db) => knownOf(db, { issuer, subject, slug: settings.organization }));
    const change = changeFor(claimed, known);
    if (change !== "nothing") await database.system((db) => write(db, settings, claims, claimed));
    if (claimed.role === undefined) log.debug({ issuer, subject }, "no group of the token gives a role");
    else if (known.org_id === null) log.debug({ issuer, subject, organization: settings.organization }, "the organization of the issuer's groups is not there, or is closed");
  }

  async function write(db: Db, settings: IssuerRoles, claims: TokenClaims, claimed: Claimed): Promise<void> {
    const { issuer, subject } = claims;
    await lockIdentity(db, issuer, subject);
    const known = await knownOf(db, { issuer, subject, slug: settings.organization });
    const change = changeFor(claimed, known);
    const orgId = known.org_id;
    if (change === "nothing" || orgId === null) return;
    const at = timestamp(clock);
    const claimedAt = new Date(claimed.issuedAt).toISOString();
    const userId = known.user_id ?? (await makeUser(db, claims, at));
    await noteClaim(db, { issuer, subject, orgId, userId, claimedAt });
    if (known.user_id !== null) await completeUser(db, { userId, displayName: claims.displayName ?? null, email: claims.email ?? null });
    const origin = { orgId, actor: { ...anonymous, kind: "system" as const, orgId }, operation: "members.claim", requestId: ids.uuid(), door: "system" };
    const events = appender(db, origin);
    const about = { subject: userTypeId(userId) };
    const said = { organization: orgTypeId(orgId), issuer };
    if (change === "end") {
      const ended = await deleteMembership(db, orgId, userId, at);
      await events.append({ type: MemberRemoved, ...about, data: { ...said, revokedKeys: ended.keys, endedSessions: ended.sessions } });
    }
    if (claimed.role === undefined || (change !== "add" && change !== "set")) return;
    await claimMembership(db, { orgId, userId, role: claimed.role, issuer, claimedAt, at });
    if (change === "add") await events.append({ type: MemberAdded, ...about, data: { ...said, role: claimed.role, created: known.user_id === null } });
    else if (known.role !== null) await events.append({ type: MemberRoleSet, ...about, data: { ...said, from: known.role, to: claimed.role } });
  }

  async function makeUser(db: Db, claims: TokenClaims, at: string): Promise<string> {
    const { issuer, subject, service, displayName, email } = claims;
    const id = ids.uuid();
    for (const name of loginNames(claims)) {
      if (await insertExternalUser(db, { id, name, displayName: displayName ?? name, email: email ?? null, kind: service ? "service" : "person", issuer, subject, at })) return id;
    }
    throw new Error("no login name for a new user was free");
  }
}

/** Nobody is made for whom no role is claimed, and a user who is disabled is left as they are. */
function changeFor(claimed: Claimed, known: KnownRow): Change {
  if (known.org_id === null || known.barred) return "nothing";
  if (known.user_id === null && claimed.role === undefined) return "nothing";
  return changeBy(claimed, {
    ...(known.claimed !== null && { claimedAt: known.claimed }),
    ...(known.role !== null && { membership: { role: known.role, issuer: known.issuer } }),
  });
}

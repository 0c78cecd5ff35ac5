import { anonymous, type Actor } from "../../platform/actor.ts";
import type { Requester } from "../../platform/approvals/index.ts";
import { timestamp, type Clock } from "../../platform/clock.ts";
import type { Database } from "../../platform/database/database.ts";
import { scopesOfKey, standingOfMember } from "./approver-views.ts";
import { intersect, permissionsOf } from "./roles.ts";

interface ActorAgainPorts {
  database: Database;
  clock: Clock;
  /** Whether a person lets an application act for them still. */
  stillAllowed(grant: string, userId: string): Promise<boolean>;
}

/**
 * Whoever asked for something that runs later, with what they may do now: the role of today, within what their credential
 * granted then. Undefined for who is no member any more, for a key that has ended, and for an application that is allowed no more.
 */
export function actorAgain({ database, clock, stillAllowed }: ActorAgainPorts): (orgId: string, requester: Requester) => Promise<Actor | undefined> {
  return async (orgId, { kind, userId, keyId, grant, ai, secondFactor, confirmed, granted }) => {
    if (userId === undefined) return undefined;
    if (grant !== undefined && !(await stillAllowed(grant, userId))) return undefined;
    const now = clock.now();
    return database.read(orgId, async (db) => {
      const member = await standingOfMember(db, orgId, userId);
      const scopes = keyId === undefined ? granted : await scopesOfKey(db, orgId, keyId, timestamp(clock));
      if (member === undefined || scopes === undefined) return undefined;
      const permissions = permissionsOf(member.role, member.is_platform);
      return {
        ...anonymous, kind, userId, orgId, ai, secondFactor, platform: member.is_platform, roles: [member.role],
        // A person is not bound to the role that they had.
        permissions: kind === "user" || kind === "service" ? permissions : intersect(scopes, permissions),
        ...(keyId === undefined ? {} : { keyId }), ...(grant === undefined ? {} : { grant }), ...(confirmed ? { confirmedAt: now } : {}), ...(member.closes === null ? {} : { closesAt: member.closes }),
      };
    });
  };
}

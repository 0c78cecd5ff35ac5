import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Role } from "./roles.ts";

/** Issuer of the identities whose password the platform checks itself. */
export const localIssuer = "local";

const firstStart = 7_126_032; // any constant: one server at a time makes the first administrator

export async function lockFirstStart(db: Db): Promise<void> {
  await db.run(sql`select pg_advisory_xact_lock(${firstStart})`);
}

/** False when the slug is taken. */
export async function insertOrganization(db: Db, org: { id: string; name: string; slug: string; platform: boolean; at: string }): Promise<boolean> {
  const made = await db.run(sql`
    insert into organizations.organizations (id, name, slug, is_platform, created_at)
    values (${org.id}, ${org.name}, ${org.slug}, ${org.platform}, ${org.at}) on conflict do nothing`);
  return made === 1;
}

export async function renameOrganization(db: Db, id: string, name: string): Promise<void> {
  await db.run(sql`update organizations.organizations set name = ${name} where id = ${id}`);
}

/** A user with the local identity and a password, which is a one-time password unless `oneTime` is false. False when the login name is taken. */
export async function insertLocalUser(db: Db, user: { id: string; name: string; displayName: string; email: string | null; hash: string; oneTime?: boolean; sealed: string | null; at: string }): Promise<boolean> {
  const made = await db.run(sql`
    insert into organizations.users (id, name, display_name, email, created_at)
    values (${user.id}, ${user.name}, ${user.displayName}, ${user.email}, ${user.at}) on conflict do nothing`);
  if (made === 0) return false;
  await db.run(sql`
    insert into organizations.user_identities (issuer, subject, user_id, created_at)
    values (${localIssuer}, ${user.id}, ${user.id}, ${user.at})`);
  await db.run(sql`
    insert into organizations.password_credentials (user_id, hash, one_time, sealed, changed_at)
    values (${user.id}, ${user.hash}, ${user.oneTime ?? true}, ${user.sealed}, ${user.at})`);
  return true;
}

/** False when the user is a member already. */
export async function insertMembership(db: Db, membership: { orgId: string; userId: string; role: Role; at: string }): Promise<boolean> {
  const made = await db.run(sql`
    insert into organizations.memberships (org_id, user_id, role, created_at)
    values (${membership.orgId}, ${membership.userId}, ${membership.role}, ${membership.at}) on conflict do nothing`);
  return made === 1;
}

/**
 * The user ids of the organization's administrators who can sign in, locked until the transaction ends: two who remove
 * each other at once go one after the other, and the second finds itself the last.
 */
export async function lockAdministrators(db: Db, orgId: string): Promise<string[]> {
  const rows = await db.many<{ user_id: string }>(sql`
    select m.user_id from organizations.memberships m join organizations.users u on u.id = m.user_id
    where m.org_id = ${orgId} and m.role = 'admin' and u.kind = 'person' and u.disabled_at is null
    order by m.user_id for update of m`);
  return rows.map((row) => row.user_id);
}

export async function updateRole(db: Db, orgId: string, userId: string, role: Role): Promise<void> {
  await db.run(sql`update organizations.memberships set role = ${role} where org_id = ${orgId} and user_id = ${userId}`);
}

/** Ends the membership and what was made under it, so that nothing comes back to life with a later membership. */
export async function deleteMembership(db: Db, orgId: string, userId: string, at: string): Promise<{ keys: number; sessions: number }> {
  await db.run(sql`delete from organizations.memberships where org_id = ${orgId} and user_id = ${userId}`);
  const keys = await db.run(sql`
    update organizations.api_keys set revoked_at = ${at}
    where org_id = ${orgId} and ((acts_as is null and created_by = ${userId}) or acts_as = ${userId}) and revoked_at is null and expires_at > ${at}`);
  await db.run(sql`
    update organizations.invitations set revoked_at = ${at} where org_id = ${orgId} and invited_by = ${userId} and accepted_at is null and revoked_at is null`);
  const sessions = await db.run(sql`
    update organizations.sessions set revoked_at = ${at} where org_id = ${orgId} and user_id = ${userId} and revoked_at is null and expires_at > ${at}`);
  return { keys, sessions };
}

export interface NewSession {
  id: string;
  hash: Buffer;
  userId: string;
  orgId: string;
  door: "browser" | "cli";
  mustChange: boolean;
  /** Begun with a second factor, which then counts as given just now. */
  secondFactor?: boolean;
  at: string;
  expiresAt: string;
}

/**
 * Begins a session, unless since the check of the password it was changed, the user was disabled or the membership
 * ended: false then.
 */
export async function insertSession(db: Db, session: NewSession, checkedHash: string): Promise<boolean> {
  const still = await db.run(sql`
    update organizations.password_credentials c set used_at = ${session.at}
    from organizations.users u, organizations.memberships m
    where c.user_id = ${session.userId} and c.hash = ${checkedHash}
      and u.id = c.user_id and u.disabled_at is null and m.user_id = c.user_id and m.org_id = ${session.orgId}`);
  if (still === 0) return false;
  await db.run(sql`
    insert into organizations.sessions (hash, id, user_id, org_id, door, must_change, second_factor, confirmed_at, created_at, expires_at, last_seen_at)
    values (${session.hash}, ${session.id}, ${session.userId}, ${session.orgId}, ${session.door}, ${session.mustChange}, ${session.secondFactor === true},
      ${session.secondFactor === true ? session.at : null}, ${session.at}, ${session.expiresAt}, ${session.at})`);
  return true;
}

/** The organization of the session that was ended, or undefined where the user has no such live session. */
export async function revokeSession(db: Db, userId: string, id: string, at: string): Promise<string | undefined> {
  const row = await db.maybe<{ org_id: string }>(sql`
    update organizations.sessions set revoked_at = ${at}
    where id = ${id} and user_id = ${userId} and revoked_at is null returning org_id`);
  return row?.org_id;
}

/** Sets the password, unless it is no longer the one that was checked: false then. A one-time password is spent by it. */
export async function replacePassword(db: Db, password: { userId: string; checkedHash: string; hash: string; at: string }): Promise<boolean> {
  const changed = await db.run(sql`
    update organizations.password_credentials set hash = ${password.hash}, one_time = false, sealed = null, used_at = ${password.at}, changed_at = ${password.at}
    where user_id = ${password.userId} and hash = ${password.checkedHash}`);
  return changed === 1;
}

/** Ends the user's sessions but `keep`, which may do everything from now on; the number that was ended. */
export async function endOtherSessions(db: Db, userId: string, keep: string | null, at: string): Promise<number> {
  await db.run(sql`update organizations.sessions set must_change = false where id = ${keep} and user_id = ${userId}`);
  return db.run(sql`
    update organizations.sessions set revoked_at = ${at}
    where user_id = ${userId} and id is distinct from ${keep}::uuid and revoked_at is null and expires_at > ${at}`);
}

export interface NewApiKey {
  orgId: string;
  id: string;
  name: string;
  prefix: string;
  hash: Buffer;
  scopes: readonly string[];
  agent: boolean;
  /** The service account whose membership it uses, instead of its maker's. */
  actsAs?: string;
  createdBy: string;
  at: string;
  expiresAt: string;
}

export async function insertApiKey(db: Db, key: NewApiKey): Promise<void> {
  await db.run(sql`
    insert into organizations.api_keys (org_id, id, name, prefix, hash, scopes, agent, acts_as, created_by, created_at, expires_at)
    values (${key.orgId}, ${key.id}, ${key.name}, ${key.prefix}, ${key.hash}, ${key.scopes}, ${key.agent}, ${key.actsAs ?? null}, ${key.createdBy}, ${key.at}, ${key.expiresAt})`);
}

/** False when it was revoked before. */
export async function revokeApiKey(db: Db, orgId: string, id: string, at: string): Promise<boolean> {
  return (await db.run(sql`update organizations.api_keys set revoked_at = ${at} where org_id = ${orgId} and id = ${id} and revoked_at is null`)) === 1;
}

/** Notes the use of sessions (ids) and keys (prefixes) that were not used since `before`. */
export async function touch(db: Db, used: { sessions: readonly string[]; keys: readonly string[]; at: string; before: string }): Promise<void> {
  if (used.sessions.length > 0) {
    await db.run(sql`update organizations.sessions set last_seen_at = ${used.at} where id = any(${used.sessions}::uuid[]) and last_seen_at < ${used.before}`);
  }
  if (used.keys.length > 0) {
    await db.run(sql`
      update organizations.api_keys set last_used_at = ${used.at}
      where prefix = any(${used.keys}::text[]) and (last_used_at is null or last_used_at < ${used.before})`);
  }
}

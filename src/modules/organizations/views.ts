import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Role } from "./roles.ts";

export interface OrganizationRow {
  id: string;
  name: string;
  slug: string;
  is_platform: boolean;
  settings: Record<string, unknown>;
  created_at: Date;
}

export async function organizationById(db: Db, id: string): Promise<OrganizationRow | undefined> {
  return db.maybe<OrganizationRow>(sql`select id, name, slug, is_platform, settings, created_at from organizations.organizations where id = ${id}`);
}

export async function platformOrganization(db: Db): Promise<OrganizationRow | undefined> {
  return db.maybe<OrganizationRow>(sql`select id, name, slug, is_platform, settings, created_at from organizations.organizations where is_platform`);
}

export interface MemberRow {
  user_id: string;
  name: string;
  display_name: string;
  email: string | null;
  kind: "person" | "service";
  role: Role;
  disabled_at: Date | null;
  created_at: Date;
}

/** Members by user id, after `after`. */
export async function membersOf(db: Db, orgId: string, page: { after: string; limit: number }): Promise<MemberRow[]> {
  return db.many<MemberRow>(sql`
    select m.user_id, u.name, u.display_name, u.email, u.kind, m.role, u.disabled_at, m.created_at
    from organizations.memberships m join organizations.users u on u.id = m.user_id
    where m.org_id = ${orgId} and m.user_id > ${page.after}
    order by m.user_id limit ${page.limit}`);
}

export async function memberOf(db: Db, orgId: string, userId: string): Promise<MemberRow | undefined> {
  return db.maybe<MemberRow>(sql`
    select m.user_id, u.name, u.display_name, u.email, u.kind, m.role, u.disabled_at, m.created_at
    from organizations.memberships m join organizations.users u on u.id = m.user_id
    where m.org_id = ${orgId} and m.user_id = ${userId}`);
}

/** The organizations of a user with the user's role in each; only the system's door sees more than one. */
export async function organizationsOf(db: Db, userId: string): Promise<(OrganizationRow & { role: Role })[]> {
  return db.many(sql`
    select o.id, o.name, o.slug, o.is_platform, o.settings, o.created_at, m.role
    from organizations.memberships m join organizations.organizations o on o.id = m.org_id
    where m.user_id = ${userId} order by m.created_at, o.id limit 1000`);
}

/** Of a person: a service account belongs to the organization that made it. */
export async function userIdByName(db: Db, name: string): Promise<string | undefined> {
  return (await db.maybe<{ id: string }>(sql`select id from organizations.users where lower(name) = lower(${name}) and kind = 'person'`))?.id;
}

/** Whether `adminId` administers an organization that the user is a member of. */
export async function administersOneOf(db: Db, adminId: string, userId: string): Promise<boolean> {
  const found = await db.maybe(sql`
    select 1 from organizations.memberships mine join organizations.memberships theirs on theirs.org_id = mine.org_id
    where mine.user_id = ${adminId} and mine.role = 'admin' and theirs.user_id = ${userId} limit 1`);
  return found !== undefined;
}

export interface PasswordRow {
  user_id: string;
  hash: string;
  one_time: boolean;
}

/** What a sign-in is checked against; `org_id` is the named organization, or the one joined first. */
export async function credentialByName(db: Db, name: string, orgId: string | null): Promise<(PasswordRow & { org_id: string; closes: number | null }) | undefined> {
  return db.maybe(sql`
    select u.id as user_id, c.hash, c.one_time, m.org_id, m.closes
    from organizations.users u
    join organizations.password_credentials c on c.user_id = u.id
    join lateral (
      select t.org_id, (extract(epoch from w.due_at) * 1000)::float8 as closes
      from organizations.memberships t join organizations.organizations w on w.id = t.org_id
      where t.user_id = u.id and (${orgId}::uuid is null or t.org_id = ${orgId}::uuid)
      order by w.closed_at is not null, t.created_at, t.org_id limit 1
    ) m on true
    where lower(u.name) = lower(${name}) and u.disabled_at is null`);
}

export async function credentialOf(db: Db, userId: string): Promise<PasswordRow | undefined> {
  return db.maybe<PasswordRow>(sql`select user_id, hash, one_time from organizations.password_credentials where user_id = ${userId}`);
}

/** The envelope of the first administrator's one-time password, while it is unspent. */
export async function sealedPassword(db: Db): Promise<{ name: string; sealed: string } | undefined> {
  return db.maybe(sql`
    select u.name, c.sealed from organizations.password_credentials c join organizations.users u on u.id = c.user_id
    where c.sealed is not null order by u.created_at limit 1`);
}

export interface SessionRow {
  id: string;
  org_id: string;
  door: "browser" | "cli";
  created_at: Date;
  expires_at: Date;
  last_seen_at: Date;
}

/** Sessions of a user that can still be used, by id, after `after`. */
export async function sessionsOf(db: Db, userId: string, now: string, page: { after: string; limit: number }): Promise<SessionRow[]> {
  return db.many<SessionRow>(sql`
    select id, org_id, door, created_at, expires_at, last_seen_at from organizations.sessions
    where user_id = ${userId} and id > ${page.after} and revoked_at is null and expires_at > ${now}
    order by id limit ${page.limit}`);
}

export interface ApiKeyRow {
  id: string;
  name: string;
  prefix: string;
  scopes: string[];
  agent: boolean;
  acts_as: string | null;
  created_by: string;
  created_at: Date;
  expires_at: Date;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

export async function apiKeysOf(db: Db, orgId: string, page: { after: string; limit: number }): Promise<ApiKeyRow[]> {
  return db.many<ApiKeyRow>(sql`
    select id, name, prefix, scopes, agent, acts_as, created_by, created_at, expires_at, last_used_at, revoked_at
    from organizations.api_keys where org_id = ${orgId} and id > ${page.after} order by id limit ${page.limit}`);
}

export async function apiKeyById(db: Db, orgId: string, id: string): Promise<ApiKeyRow | undefined> {
  return db.maybe<ApiKeyRow>(sql`
    select id, name, prefix, scopes, agent, acts_as, created_by, created_at, expires_at, last_used_at, revoked_at
    from organizations.api_keys where org_id = ${orgId} and id = ${id}`);
}

import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Role } from "./roles.ts";
import { lockUser } from "./second-factor-store.ts";
import { secondFactorsOf } from "./second-factor-views.ts";

/** The user whom an issuer means by a subject. */
export async function userOfIdentity(db: Db, issuer: string, subject: string): Promise<string | undefined> {
  return (await db.maybe<{ user_id: string }>(sql`select user_id from organizations.user_identities where issuer = ${issuer} and subject = ${subject}`))?.user_id;
}

export interface Entrant {
  org_id: string;
  /** The user's own password, if there is one, is a one-time password. */
  one_time: boolean;
  /** When the organization goes, in milliseconds since 1970; null unless it is being deleted. */
  closes: number | null;
}

/** Where a session of the user would work: in the named organization, or in the one joined first. Undefined where there is none. */
export async function entrantOf(db: Db, userId: string, orgId: string | null): Promise<Entrant | undefined> {
  return db.maybe<Entrant>(sql`
    select m.org_id, coalesce(c.one_time, false) as one_time, m.closes
    from organizations.users u
    left join organizations.password_credentials c on c.user_id = u.id
    join lateral (
      select t.org_id, (extract(epoch from w.due_at) * 1000)::float8 as closes
      from organizations.memberships t join organizations.organizations w on w.id = t.org_id
      where t.user_id = u.id and (${orgId}::uuid is null or t.org_id = ${orgId}::uuid)
      order by w.closed_at is not null, t.created_at, t.org_id limit 1
    ) m on true
    where u.id = ${userId} and u.kind = 'person' and u.disabled_at is null and u.erased_at is null`);
}

/**
 * When what the platform's own provider tells of a person began, if it still holds: the session that stood for them goes
 * on or, where they were asked, the password is the same since then and no second factor was left out that there is now.
 * Until the transaction ends, neither password nor second factors change. Times in milliseconds since 1970.
 */
export async function ownSignInBegan(db: Db, signIn: { userId: string; session?: string; authenticatedAt: number; secondFactor: boolean; at: string }): Promise<number | undefined> {
  const { userId, session, authenticatedAt, secondFactor, at } = signIn;
  await lockUser(db, userId);
  const password = await db.maybe<{ changed_at: Date }>(sql`select changed_at from organizations.password_credentials where user_id = ${userId} for update`);
  if (session !== undefined) {
    const behind = await db.maybe<{ created_at: Date }>(sql`
      select created_at from organizations.sessions where id = ${session} and user_id = ${userId} and revoked_at is null and expires_at > ${at}`);
    return behind?.created_at.getTime();
  }
  // The provider knows whole seconds.
  const changed = password === undefined ? 0 : Math.floor(password.changed_at.getTime() / 1000) * 1000;
  if (authenticatedAt < changed || (!secondFactor && (await secondFactorsOf(db, userId)).any)) return undefined;
  return authenticatedAt;
}

/** What is known of an identity, and of its user in the organization that its issuer speaks for. */
export interface KnownRow {
  /** Null where there is no such organization, or it is closed. */
  org_id: string | null;
  user_id: string | null;
  /** The user is disabled or erased. */
  barred: boolean;
  /** When the newest token that was heard was issued, in milliseconds since 1970. */
  claimed: number | null;
  role: Role | null;
  /** Of the membership. */
  issuer: string | null;
}

export async function knownOf(db: Db, asked: { issuer: string; subject: string; slug: string }): Promise<KnownRow> {
  return db.one<KnownRow>(sql`
    select o.id as org_id, i.user_id, (u.disabled_at is not null or u.erased_at is not null) as barred,
      (extract(epoch from i.claimed_at) * 1000)::float8 as claimed, m.role, m.issuer
    from (select ${asked.issuer}::text as issuer, ${asked.subject}::text as subject, ${asked.slug}::text as slug) a
    left join organizations.organizations o on o.slug = a.slug and o.closed_at is null
    left join organizations.user_identities i on i.issuer = a.issuer and i.subject = a.subject
    left join organizations.users u on u.id = i.user_id
    left join organizations.memberships m on m.org_id = o.id and m.user_id = i.user_id`);
}

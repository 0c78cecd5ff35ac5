import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Role } from "./roles.ts";
import type { NewSession } from "./store.ts";

/** Takes an ID token for this once; false when it was taken before. `digest` is what is remembered of it. */
export async function spendIdToken(db: Db, token: { digest: Buffer; userId: string; at: string; until: string }): Promise<boolean> {
  const made = await db.run(sql`
    insert into organizations.single_use (hash, purpose, user_id, created_at, expires_at, used_at)
    values (${token.digest}, 'id-token', ${token.userId}, ${token.at}, ${token.until}, ${token.at}) on conflict do nothing`);
  return made === 1;
}

export interface IssuedSession extends NewSession {
  issuer: string;
  secondFactor: boolean;
  confirmedAt: string | null;
  /** When the person signed in, which may be before this session was made of another. */
  beganAt: string;
}

/** Begins a session on the word of an issuer. */
export async function insertIssuedSession(db: Db, session: IssuedSession): Promise<void> {
  await db.run(sql`
    insert into organizations.sessions (hash, id, user_id, org_id, door, must_change, issuer, second_factor, confirmed_at, created_at, expires_at, last_seen_at)
    values (${session.hash}, ${session.id}, ${session.userId}, ${session.orgId}, ${session.door}, ${session.mustChange}, ${session.issuer},
      ${session.secondFactor}, ${session.confirmedAt}, ${session.beganAt}, ${session.expiresAt}, ${session.at})`);
}

/** Until the transaction ends, nobody else settles what a token says of this identity. */
export async function lockIdentity(db: Db, issuer: string, subject: string): Promise<void> {
  await db.run(sql`select pg_advisory_xact_lock(hashtextextended(${JSON.stringify([issuer, subject])}, 7126035))`);
}

export interface ExternalUser {
  id: string;
  name: string;
  displayName: string;
  email: string | null;
  kind: "person" | "service";
  issuer: string;
  subject: string;
  at: string;
}

/** A user without a password, whom an issuer means by a subject. False when the login name is taken. */
export async function insertExternalUser(db: Db, user: ExternalUser): Promise<boolean> {
  const made = await db.run(sql`
    insert into organizations.users (id, name, display_name, email, kind, created_at)
    values (${user.id}, ${user.name}, ${user.displayName}, ${user.email}, ${user.kind}, ${user.at}) on conflict do nothing`);
  if (made === 0) return false;
  await db.run(sql`
    insert into organizations.user_identities (issuer, subject, user_id, created_at)
    values (${user.issuer}, ${user.subject}, ${user.id}, ${user.at})`);
  return true;
}

/** Fills in what an earlier token did not say: an access token may hold no name where an ID token does. */
export async function completeUser(db: Db, user: { userId: string; displayName: string | null; email: string | null }): Promise<void> {
  if (user.displayName === null && user.email === null) return;
  await db.run(sql`
    update organizations.users
    set display_name = case when display_name = name then coalesce(${user.displayName}, display_name) else display_name end, email = coalesce(email, ${user.email})
    where id = ${user.userId} and (email is null or display_name = name)`);
}

/** Remembers when the newest token was issued: with the identity, and with the membership that it speaks for. */
export async function noteClaim(db: Db, claim: { issuer: string; subject: string; orgId: string; userId: string; claimedAt: string }): Promise<void> {
  await db.run(sql`update organizations.user_identities set claimed_at = ${claim.claimedAt} where issuer = ${claim.issuer} and subject = ${claim.subject}`);
  await db.run(sql`
    update organizations.memberships set claimed_at = ${claim.claimedAt}
    where org_id = ${claim.orgId} and user_id = ${claim.userId} and issuer = ${claim.issuer}`);
}

/** A membership on an issuer's word, or its new role. */
export async function claimMembership(db: Db, claim: { orgId: string; userId: string; role: Role; issuer: string; claimedAt: string; at: string }): Promise<void> {
  await db.run(sql`
    insert into organizations.memberships (org_id, user_id, role, issuer, claimed_at, created_at)
    values (${claim.orgId}, ${claim.userId}, ${claim.role}, ${claim.issuer}, ${claim.claimedAt}, ${claim.at})
    on conflict (org_id, user_id) do update set role = excluded.role, claimed_at = excluded.claimed_at where memberships.issuer = excluded.issuer`);
}

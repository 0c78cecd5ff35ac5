import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";

/** What the tombstone of a person is called. No login name has a space, so that nobody can have taken it before. */
export function erasedName(userTypeId: string): string {
  return `erased ${userTypeId}`;
}

/**
 * Removes what tells who the person is and what they sign in with, and ends what acts for them. `ids` are the forms in
 * which others name the person. The row stays as a tombstone, because events and rows name its id.
 */
export async function erasePersonRows(db: Db, person: { userId: string; ids: readonly string[]; name: string; at: string }): Promise<{ organizations: string[]; keys: number; sessions: number }> {
  const { userId, at } = person;
  await db.run(sql`
    update organizations.invitations i set email = null from organizations.users u
    where u.id = ${userId} and (i.accepted_by = u.id or lower(i.email) = lower(u.email))`);
  await db.run(sql`delete from organizations.user_identities where user_id = ${userId}`);
  await db.run(sql`delete from organizations.password_credentials where user_id = ${userId}`);
  await db.run(sql`delete from organizations.totp where user_id = ${userId}`);
  await db.run(sql`delete from organizations.recovery_codes where user_id = ${userId}`);
  await db.run(sql`delete from organizations.passkeys where user_id = ${userId}`);
  await db.run(sql`delete from organizations.single_use where user_id = ${userId}`);
  await db.run(sql`delete from organizations.oidc_payloads where payload->>'accountId' = any(${person.ids}::text[])`);
  const sessions = await db.run(sql`delete from organizations.sessions where user_id = ${userId}`);
  // A key of a service account outlives who made it. The name of a key may well be that of its owner.
  const keys = await db.run(sql`
    update organizations.api_keys set revoked_at = coalesce(revoked_at, ${at}), name = 'erased'
    where acts_as = ${userId} or (created_by = ${userId} and acts_as is null)`);
  const ended = await db.many<{ org_id: string }>(sql`delete from organizations.memberships where user_id = ${userId} returning org_id`);
  await db.run(sql`
    update organizations.users set name = ${person.name}, display_name = 'erased', email = null, disabled_at = coalesce(disabled_at, ${at}), erased_at = ${at}
    where id = ${userId}`);
  return { organizations: ended.map((row) => row.org_id).sort(), keys, sessions };
}

import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { NewSession } from "./store.ts";

/** Takes an ID token for this once; false when it was taken before. `digest` is what is remembered of it. */
export async function spendIdToken(db: Db, token: { digest: Buffer; userId: string; at: string; until: string }): Promise<boolean> {
  const made = await db.run(sql`
    insert into organizations.single_use (hash, purpose, user_id, created_at, expires_at, used_at)
    values (${token.digest}, 'id-token', ${token.userId}, ${token.at}, ${token.until}, ${token.at}) on conflict do nothing`);
  return made === 1;
}

export type IssuedSession = NewSession & { issuer: string; secondFactor: boolean; confirmedAt: string | null };

/** Begins a session on the word of an issuer. */
export async function insertIssuedSession(db: Db, session: IssuedSession): Promise<void> {
  await db.run(sql`
    insert into organizations.sessions (hash, id, user_id, org_id, door, must_change, issuer, second_factor, confirmed_at, created_at, expires_at, last_seen_at)
    values (${session.hash}, ${session.id}, ${session.userId}, ${session.orgId}, ${session.door}, ${session.mustChange}, ${session.issuer},
      ${session.secondFactor}, ${session.confirmedAt}, ${session.at}, ${session.expiresAt}, ${session.at})`);
}

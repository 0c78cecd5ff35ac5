import type { Db } from "../../../platform/database/database.ts";
import { sql } from "../../../platform/database/sql.ts";

export interface Account {
  name: string;
  display_name: string;
  email: string | null;
}

/** A person who may sign in. */
export async function accountOf(db: Db, userId: string): Promise<Account | undefined> {
  return db.maybe<Account>(sql`select name, display_name, email from organizations.users where id = ${userId} and kind = 'person' and disabled_at is null and erased_at is null`);
}

/** Whose browser session a token is, while it lasts. */
export async function browserSessionOf(db: Db, hash: Buffer, now: string): Promise<{ id: string; user_id: string; second_factor: boolean; created_at: Date; confirmed_at: Date | null } | undefined> {
  return db.maybe(sql`
    select s.id, s.user_id, s.second_factor, s.created_at, s.confirmed_at
    from organizations.sessions s join organizations.users u on u.id = s.user_id and u.disabled_at is null
    where s.hash = ${hash} and s.door = 'browser' and s.revoked_at is null and s.expires_at > ${now}`);
}

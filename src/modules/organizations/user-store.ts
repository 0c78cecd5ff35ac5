import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";

/** Sets a password that nobody had to know the old one for; false where the user has none here or is disabled. */
export async function overridePassword(db: Db, password: { userId: string; hash: string; at: string }): Promise<boolean> {
  const changed = await db.run(sql`
    update organizations.password_credentials c set hash = ${password.hash}, one_time = false, sealed = null, changed_at = ${password.at}
    from organizations.users u where c.user_id = ${password.userId} and u.id = c.user_id and u.disabled_at is null`);
  return changed === 1;
}

/** False where the user was that before. */
export async function setDisabled(db: Db, userId: string, at: string | null): Promise<boolean> {
  return (await db.run(sql`
    update organizations.users set disabled_at = ${at} where id = ${userId} and (disabled_at is null) <> (${at}::timestamptz is null)`)) === 1;
}

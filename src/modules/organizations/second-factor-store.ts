import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";

/** Takes a time step of a confirmed TOTP, unless it or a later one was taken, or the secret is another by now: false then. */
export async function takeTotpStep(db: Db, totp: { userId: string; secret: string; step: number }): Promise<boolean> {
  const taken = await db.run(sql`
    update organizations.totp set last_step = ${totp.step}
    where user_id = ${totp.userId} and secret = ${totp.secret} and confirmed_at is not null and last_step < ${totp.step}`);
  return taken === 1;
}

/** Spends a recovery code; false where there is none of that hash, or it was spent before. */
export async function takeRecoveryCode(db: Db, userId: string, hash: Buffer, at: string): Promise<boolean> {
  const taken = await db.run(sql`
    update organizations.recovery_codes set used_at = ${at} where user_id = ${userId} and hash = ${hash} and used_at is null`);
  return taken === 1;
}

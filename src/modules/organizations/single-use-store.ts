import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";

export interface SingleUse {
  hash: Buffer;
  purpose: "webauthn" | "password-reset";
  userId: string;
  at: string;
  expiresAt: string;
}

/** Keeps what is handed out once. What the person was given before for the same purpose goes, where it is over. */
export async function insertSingleUse(db: Db, { hash, purpose, userId, at, expiresAt }: SingleUse): Promise<void> {
  await db.run(sql`
    delete from organizations.single_use where user_id = ${userId} and purpose = ${purpose} and (expires_at <= ${at} or used_at is not null)`);
  await db.run(sql`
    insert into organizations.single_use (hash, purpose, user_id, created_at, expires_at) values (${hash}, ${purpose}, ${userId}, ${at}, ${expiresAt})`);
}

/** Makes it good for longer, where it could still be taken; false where not. */
export async function renewSingleUse(db: Db, { hash, purpose, userId, at, expiresAt }: SingleUse): Promise<boolean> {
  const renewed = await db.run(sql`
    update organizations.single_use set expires_at = ${expiresAt}
    where hash = ${hash} and purpose = ${purpose} and user_id = ${userId} and used_at is null and expires_at > ${at}`);
  return renewed === 1;
}

/** Takes it back; whose it was, or undefined where it is unknown, over, or was taken before. */
export async function takeSingleUse(db: Db, taken: { hash: Buffer; purpose: SingleUse["purpose"]; at: string }): Promise<string | undefined> {
  const row = await db.maybe<{ user_id: string }>(sql`
    update organizations.single_use set used_at = ${taken.at}
    where hash = ${taken.hash} and purpose = ${taken.purpose} and used_at is null and expires_at > ${taken.at} returning user_id`);
  return row?.user_id;
}

/** So that only the newest of them is good. */
export async function deleteSingleUses(db: Db, userId: string, purpose: SingleUse["purpose"]): Promise<void> {
  await db.run(sql`delete from organizations.single_use where user_id = ${userId} and purpose = ${purpose}`);
}

/** Whose it is and until when, without taking it; undefined where it could not be taken. */
export async function singleUseOf(db: Db, wanted: { hash: Buffer; purpose: SingleUse["purpose"]; at: string }): Promise<{ user_id: string; expires_at: Date } | undefined> {
  return db.maybe(sql`
    select user_id, expires_at from organizations.single_use
    where hash = ${wanted.hash} and purpose = ${wanted.purpose} and used_at is null and expires_at > ${wanted.at}`);
}

/** Deletes what could not be taken any more anyway; the number of rows. */
export async function sweepSingleUses(db: Db, at: string): Promise<number> {
  return db.run(sql`delete from organizations.single_use where expires_at <= ${at}`);
}

import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";

/** What a person has besides the password. Recovery codes stand in for a lost factor; alone they are none. */
export interface SecondFactors {
  totp: boolean;
  passkeys: number;
  /** Codes that are not spent. */
  recoveryCodes: number;
  /** Whether a sign-in asks for one. */
  any: boolean;
}

export async function secondFactorsOf(db: Db, userId: string): Promise<SecondFactors> {
  const found = await db.one<Omit<SecondFactors, "any">>(sql`
    select
      exists (select 1 from organizations.totp where user_id = ${userId} and confirmed_at is not null) as totp,
      (select count(*)::int from organizations.passkeys where user_id = ${userId}) as passkeys,
      (select count(*)::int from organizations.recovery_codes where user_id = ${userId} and used_at is null) as "recoveryCodes"`);
  return { ...found, any: found.totp || found.passkeys > 0 };
}

export interface TotpRow {
  /** An envelope. */
  secret: string;
  confirmed_at: Date | null;
  created_at: Date;
  /** Time step of 30 s of the last code that was taken; 0 before the first. */
  last_step: number;
}

export async function totpOf(db: Db, userId: string): Promise<TotpRow | undefined> {
  return db.maybe<TotpRow>(sql`select secret, confirmed_at, created_at, last_step from organizations.totp where user_id = ${userId}`);
}

export interface PasskeyRow {
  id: Buffer;
  public_key: Buffer;
  counter: number;
  transports: string[];
  name: string;
  created_at: Date;
  last_used_at: Date | null;
}

/** The oldest first. A person has a handful: `mostPasskeys` bounds them. */
export async function passkeysOf(db: Db, userId: string): Promise<PasskeyRow[]> {
  return db.many<PasskeyRow>(sql`
    select id, public_key, counter, transports, name, created_at, last_used_at
    from organizations.passkeys where user_id = ${userId} order by created_at, id limit 100`);
}

/** When a session that is not over began. */
export async function sessionBegan(db: Db, userId: string, sessionId: string): Promise<Date | undefined> {
  const row = await db.maybe<{ created_at: Date }>(sql`
    select created_at from organizations.sessions where id = ${sessionId} and user_id = ${userId} and revoked_at is null`);
  return row?.created_at;
}

export async function personById(db: Db, userId: string): Promise<{ name: string; display_name: string } | undefined> {
  return db.maybe(sql`select name, display_name from organizations.users where id = ${userId}`);
}

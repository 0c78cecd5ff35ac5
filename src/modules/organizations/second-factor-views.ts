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
}

export async function totpOf(db: Db, userId: string): Promise<TotpRow | undefined> {
  return db.maybe<TotpRow>(sql`select secret, confirmed_at, created_at from organizations.totp where user_id = ${userId}`);
}

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

/** What adds or takes factors of a person goes one after the other. */
export async function lockUser(db: Db, userId: string): Promise<void> {
  await db.maybe(sql`select 1 from organizations.users where id = ${userId} for update`);
}

/** A TOTP that waits for its first code, in place of one that waited. False where there is a confirmed one. */
export async function insertTotp(db: Db, totp: { userId: string; secret: string; at: string }): Promise<boolean> {
  const made = await db.run(sql`
    insert into organizations.totp as t (user_id, secret, created_at) values (${totp.userId}, ${totp.secret}, ${totp.at})
    on conflict (user_id) do update set secret = excluded.secret, created_at = excluded.created_at where t.confirmed_at is null`);
  return made === 1;
}

/** Makes a waiting TOTP count and takes the step of its first code; false where it does not wait any more. */
export async function confirmTotp(db: Db, totp: { userId: string; secret: string; step: number; at: string }): Promise<boolean> {
  const confirmed = await db.run(sql`
    update organizations.totp set confirmed_at = ${totp.at}, last_step = ${totp.step}
    where user_id = ${totp.userId} and secret = ${totp.secret} and confirmed_at is null`);
  return confirmed === 1;
}

export async function deleteTotp(db: Db, userId: string): Promise<boolean> {
  return (await db.run(sql`delete from organizations.totp where user_id = ${userId} and confirmed_at is not null`)) === 1;
}

/** Puts a new set in the place of the old one. */
export async function replaceRecoveryCodes(db: Db, userId: string, hashes: readonly Buffer[]): Promise<void> {
  await db.run(sql`delete from organizations.recovery_codes where user_id = ${userId}`);
  if (hashes.length > 0) await db.run(sql`insert into organizations.recovery_codes (user_id, hash) select ${userId}::uuid, unnest(${hashes}::bytea[])`);
}

export interface NewPasskey {
  id: Buffer;
  publicKey: Buffer;
  counter: number;
  transports: readonly string[];
  backedUp: boolean;
}

/** False where this passkey is registered already, by whomever. */
export async function insertPasskey(db: Db, passkey: NewPasskey & { userId: string; name: string; at: string }): Promise<boolean> {
  const made = await db.run(sql`
    insert into organizations.passkeys (id, user_id, public_key, counter, transports, name, backed_up, created_at)
    values (${passkey.id}, ${passkey.userId}, ${passkey.publicKey}, ${passkey.counter}, ${passkey.transports}, ${passkey.name}, ${passkey.backedUp}, ${passkey.at})
    on conflict do nothing`);
  return made === 1;
}

/**
 * Notes a use of a passkey with the counter that its authenticator gave; false where a use with the same or a higher one
 * was noted meanwhile. Authenticators that do not count always give 0 (WebAuthn 3, 6.1.1).
 */
export async function usePasskey(db: Db, use: { userId: string; id: Buffer; counter: number; at: string }): Promise<boolean> {
  const used = await db.run(sql`
    update organizations.passkeys set counter = ${use.counter}, last_used_at = ${use.at}
    where id = ${use.id} and user_id = ${use.userId} and (counter < ${use.counter} or (counter = 0 and ${use.counter} = 0))`);
  return used === 1;
}

export async function deletePasskey(db: Db, userId: string, id: Buffer): Promise<boolean> {
  return (await db.run(sql`delete from organizations.passkeys where user_id = ${userId} and id = ${id}`)) === 1;
}

/** All that the person has besides the password, and what stands in for it; whether there was anything. */
export async function deleteSecondFactors(db: Db, userId: string): Promise<boolean> {
  await replaceRecoveryCodes(db, userId, []);
  const totp = await db.run(sql`delete from organizations.totp where user_id = ${userId}`);
  const passkeys = await db.run(sql`delete from organizations.passkeys where user_id = ${userId}`);
  return totp + passkeys > 0;
}

/** Notes that the person gave a second factor in this session; false where it is over. */
export async function confirmSession(db: Db, session: { id: string; userId: string; at: string }): Promise<boolean> {
  const confirmed = await db.run(sql`
    update organizations.sessions set second_factor = true, confirmed_at = ${session.at}
    where id = ${session.id} and user_id = ${session.userId} and revoked_at is null and expires_at > ${session.at}`);
  return confirmed === 1;
}

/** The person's sessions as if they had begun with the password alone. */
export async function unconfirmSessions(db: Db, userId: string): Promise<void> {
  await db.run(sql`update organizations.sessions set second_factor = false, confirmed_at = null where user_id = ${userId} and (second_factor or confirmed_at is not null)`);
}

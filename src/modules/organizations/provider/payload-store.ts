import type { Db } from "../../../platform/database/database.ts";
import { sql } from "../../../platform/database/sql.ts";

export type Payload = Record<string, unknown>;

export interface PayloadRow {
  id: Buffer;
  payload: Payload;
  consumed_at: Date | null;
}

export interface NewPayload {
  model: string;
  id: Buffer;
  payload: Payload;
  grantId: Buffer | null;
  userCode: Buffer | null;
  uid: Buffer | null;
  expiresAt: string | null;
}

/** Keeps it, in place of what was there. A code that is spent stays spent. */
export async function putPayload(db: Db, { model, id, payload, grantId, userCode, uid, expiresAt }: NewPayload): Promise<void> {
  await db.run(sql`
    insert into organizations.oidc_payloads as p (model, id, payload, grant_id, user_code, uid, expires_at)
    values (${model}, ${id}, ${JSON.stringify(payload)}, ${grantId}, ${userCode}, ${uid}, ${expiresAt})
    on conflict (model, id) do update set payload = excluded.payload, grant_id = coalesce(excluded.grant_id, p.grant_id),
      user_code = coalesce(excluded.user_code, p.user_code), uid = coalesce(excluded.uid, p.uid), expires_at = excluded.expires_at`);
}

export async function payloadById(db: Db, model: string, id: Buffer, now: string): Promise<PayloadRow | undefined> {
  return db.maybe<PayloadRow>(sql`
    select id, payload, consumed_at from organizations.oidc_payloads
    where model = ${model} and id = ${id} and (expires_at is null or expires_at > ${now})`);
}

export async function payloadByUserCode(db: Db, model: string, userCode: Buffer, now: string): Promise<PayloadRow | undefined> {
  return db.maybe<PayloadRow>(sql`
    select id, payload, consumed_at from organizations.oidc_payloads
    where user_code = ${userCode} and model = ${model} and (expires_at is null or expires_at > ${now})`);
}

export async function payloadByUid(db: Db, model: string, uid: Buffer, now: string): Promise<PayloadRow | undefined> {
  return db.maybe<PayloadRow>(sql`
    select id, payload, consumed_at from organizations.oidc_payloads
    where uid = ${uid} and model = ${model} and (expires_at is null or expires_at > ${now})`);
}

/** False when it was spent before: of two who spend it at once, one does. */
export async function consumePayload(db: Db, model: string, id: Buffer, at: string): Promise<boolean> {
  return (await db.run(sql`update organizations.oidc_payloads set consumed_at = ${at} where model = ${model} and id = ${id} and consumed_at is null`)) === 1;
}

export async function deletePayload(db: Db, model: string, id: Buffer): Promise<boolean> {
  return (await db.run(sql`delete from organizations.oidc_payloads where model = ${model} and id = ${id}`)) === 1;
}

/** Everything that was made under a grant: codes and tokens. */
export async function deletePayloadsOfGrant(db: Db, model: string, grantId: Buffer): Promise<number> {
  return db.run(sql`delete from organizations.oidc_payloads where grant_id = ${grantId} and model = ${model}`);
}

/** Rows that are over, some at a time. */
export async function sweepPayloads(db: Db, now: string): Promise<number> {
  return db.run(sql`
    delete from organizations.oidc_payloads where (model, id) in (
      select model, id from organizations.oidc_payloads where expires_at <= ${now} order by expires_at limit 10000)`);
}

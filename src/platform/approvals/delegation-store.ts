import type { Db } from "../database/database.ts";
import { sql } from "../database/sql.ts";

export interface DelegationRow {
  id: string;
  from_user: string;
  to_user: string;
  operations: string[] | null;
  starts_at: Date;
  ends_at: Date;
  created_at: Date;
  ended_at: Date | null;
}

export async function insertDelegation(db: Db, row: { orgId: string; id: string; from: string; to: string; operations: readonly string[] | null; startsAt: string; endsAt: string; at: string }): Promise<void> {
  await db.run(sql`
    insert into platform.approval_delegations (org_id, id, from_user, to_user, operations, starts_at, ends_at, created_at)
    values (${row.orgId}, ${row.id}, ${row.from}, ${row.to}, ${row.operations === null ? null : [...row.operations]}::text[], ${row.startsAt}, ${row.endsAt}, ${row.at})`);
}

/** The newest first. */
export function listDelegations(db: Db, { after, limit, at }: { after?: string; limit: number; at?: string }): Promise<DelegationRow[]> {
  return db.many<DelegationRow>(sql`
    select id, from_user, to_user, operations, starts_at, ends_at, created_at, ended_at from platform.approval_delegations
    where (${after ?? null}::uuid is null or id < ${after ?? null}) and (${at ?? null}::timestamptz is null or (ended_at is null and ends_at > ${at ?? null}))
    order by id desc limit ${limit}`);
}

export function delegationForChange(db: Db, id: string): Promise<DelegationRow | undefined> {
  return db.maybe<DelegationRow>(sql`select id, from_user, to_user, operations, starts_at, ends_at, created_at, ended_at from platform.approval_delegations where id = ${id} for update`);
}

export async function endDelegation(db: Db, id: string, at: string): Promise<void> {
  await db.run(sql`update platform.approval_delegations set ended_at = ${at} where id = ${id}`);
}

/** UUIDs of those who have delegated this operation to the user at that time. */
export async function delegatorsOf(db: Db, orgId: string, { to, operation, at }: { to: string; operation: string; at: string }): Promise<string[]> {
  const rows = await db.many<{ from_user: string }>(sql`
    select distinct from_user from platform.approval_delegations
    where org_id = ${orgId} and to_user = ${to} and ended_at is null and starts_at <= ${at} and ends_at > ${at} and (operations is null or ${operation} = any (operations))`);
  return rows.map((row) => row.from_user);
}

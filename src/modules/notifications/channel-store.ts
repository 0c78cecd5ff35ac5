import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { SealedColumn } from "../../platform/secrets/sealed-column.ts";
import type { ChannelKindName } from "./ids.ts";
import { sealedFor } from "./channels/target.ts";

export interface NewChannel {
  orgId: string;
  id: string;
  name: string;
  kind: ChannelKindName;
  recipients: readonly string[];
  sealed: string | null;
  hint: string | null;
  at: string;
}

/** False where the name is taken. */
export async function insertChannel(db: Db, { orgId, id, name, kind, recipients, sealed, hint, at }: NewChannel): Promise<boolean> {
  return (await db.run(sql`
    insert into notifications.channels (org_id, id, name, kind, enabled, recipients, sealed, hint, failures, created_at, updated_at)
    values (${orgId}, ${id}, ${name}, ${kind}, true, ${recipients}, ${sealed}, ${hint}, 0, ${at}, ${at}) on conflict (org_id, name) do nothing`)) === 1;
}

export interface ChannelChange {
  enabled: boolean;
  recipients: readonly string[];
  sealed: string | null;
  hint: string | null;
  at: string;
}

/** False where somebody else changed what is sealed meanwhile. What failed before counts no more. */
export async function updateChannel(db: Db, id: string, before: string | null, { enabled, recipients, sealed, hint, at }: ChannelChange): Promise<boolean> {
  return (await db.run(sql`
    update notifications.channels set enabled = ${enabled}, disabled_reason = null, recipients = ${recipients}, sealed = ${sealed}, hint = ${hint},
      failures = 0, blocked_until = null, updated_at = ${at}
    where id = ${id} and sealed is not distinct from ${before}`)) === 1;
}

export async function deleteChannel(db: Db, id: string): Promise<boolean> {
  return (await db.run(sql`delete from notifications.channels where id = ${id}`)) === 1;
}

export async function disableChannel(db: Db, id: string, reason: string, at: string): Promise<void> {
  await db.run(sql`update notifications.channels set enabled = false, disabled_reason = ${reason}, updated_at = ${at} where id = ${id}`);
}

export async function setStanding(db: Db, id: string, standing: { failures: number; blockedUntil: string | null }): Promise<void> {
  await db.run(sql`update notifications.channels set failures = ${standing.failures}, blocked_until = ${standing.blockedUntil} where id = ${id}`);
}

/** Which run has the channel, and until when it sleeps. */
export async function setRun(db: Db, id: string, runId: string | null, wakeAt: string | null): Promise<void> {
  await db.run(sql`update notifications.channels set run_id = ${runId}, wake_at = ${wakeAt} where id = ${id}`);
}

const firstUuid = "00000000-0000-0000-0000-000000000000";

/** What this module keeps sealed. */
export const sealedColumns: readonly SealedColumn[] = [{
  column: "notifications.channels.sealed",
  replaces: "tenant",
  async page(db, after, limit) {
    const [org = firstUuid, id = firstUuid] = after ?? [];
    const rows = await db.many<{ org_id: string; id: string; sealed: string }>(sql`
      select org_id, id, sealed from notifications.channels where sealed is not null and (org_id, id) > (${org}::uuid, ${id}::uuid) order by org_id, id limit ${limit}`);
    return rows.map((row) => ({ key: [row.org_id, row.id], envelope: row.sealed, context: sealedFor(row.org_id) }));
  },
  replace: async (db, { key: [org, id], envelope: before }, envelope) =>
    (await db.run(sql`update notifications.channels set sealed = ${envelope} where org_id = ${org} and id = ${id} and sealed = ${before}`)) === 1,
}];

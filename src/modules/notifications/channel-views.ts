import type { Db } from "../../platform/database/database.ts";
import { none, sql } from "../../platform/database/sql.ts";
import { channelTypeId, type ChannelKindName } from "./ids.ts";
import type { Channel } from "./schemas.ts";

export interface ChannelRow {
  id: string;
  name: string;
  kind: ChannelKindName;
  enabled: boolean;
  disabled_reason: string | null;
  recipients: string[];
  sealed: string | null;
  hint: string | null;
  run_id: string | null;
  wake_at: Date | null;
  failures: number;
  blocked_until: Date | null;
  created_at: Date;
  updated_at: Date;
}

const columns = sql`select c.id, c.name, c.kind, c.enabled, c.disabled_reason, c.recipients, c.sealed, c.hint, c.run_id, c.wake_at, c.failures, c.blocked_until, c.created_at, c.updated_at`;
const waiting = sql`(select count(*)::int from notifications.deliveries d where d.org_id = c.org_id and d.channel_id = c.id and d.state in ('waiting', 'sending')) as waiting`;

export async function channelById(db: Db, id: string): Promise<ChannelRow | undefined> {
  return db.maybe(sql`${columns} from notifications.channels c where c.id = ${id}`);
}

/** Held until the transaction ends, so that what is made due is seen by the run, or the run is seen to have ended. */
export async function lockedChannel(db: Db, id: string): Promise<ChannelRow | undefined> {
  return db.maybe(sql`${columns} from notifications.channels c where c.id = ${id} for no key update`);
}

export async function shownChannel(db: Db, id: string): Promise<Channel | undefined> {
  const row = await db.maybe<ChannelRow & { waiting: number }>(sql`${columns}, ${waiting} from notifications.channels c where c.id = ${id}`);
  return row === undefined ? undefined : toChannel(row);
}

export async function countChannels(db: Db): Promise<number> {
  return (await db.one<{ channels: number }>(sql`select count(*)::int as channels from notifications.channels`)).channels;
}

/** By name. */
export async function listChannels(db: Db, page: { after?: string; limit: number }): Promise<Channel[]> {
  const after = page.after === undefined ? none : sql`where c.name > ${page.after}`;
  return (await db.many<ChannelRow & { waiting: number }>(sql`${columns}, ${waiting} from notifications.channels c ${after} order by c.name limit ${page.limit}`)).map(toChannel);
}

/** Of all organizations; through the door that sees them. */
export async function waitingCount(db: Db): Promise<number> {
  return (await db.one<{ count: number }>(sql`select count(*)::int as count from notifications.deliveries where state in ('waiting', 'sending')`)).count;
}

function toChannel(row: ChannelRow & { waiting: number }): Channel {
  return {
    id: channelTypeId(row.id), name: row.name, kind: row.kind, enabled: row.enabled, disabledReason: row.disabled_reason, target: row.hint, recipients: row.recipients,
    waiting: row.waiting, failures: row.failures, blockedUntil: row.blocked_until?.toISOString() ?? null, createdAt: row.created_at.toISOString(),
  };
}

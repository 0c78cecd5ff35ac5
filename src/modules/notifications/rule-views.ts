import type { Db } from "../../platform/database/database.ts";
import { none, sql } from "../../platform/database/sql.ts";
import type { StoredEvent } from "../../platform/events/types.ts";
import { namesOf, type Condition, type Filter } from "./domain/matching.ts";
import type { Digest, QuietHours } from "./domain/due.ts";
import type { Template } from "./domain/message.ts";
import { channelTypeId, ruleTypeId } from "./ids.ts";
import type { Rule } from "./schemas.ts";

export interface RuleRow {
  id: string;
  name: string;
  channel_id: string;
  enabled: boolean;
  types: string[];
  permissions: string[];
  filter: Filter;
  urgent: Condition[] | null;
  template: Template | null;
  digest: Digest | null;
  quiet: QuietHours | null;
  created_at: Date;
}

const columns = sql`select r.id, r.name, r.channel_id, r.enabled, r.types, r.permissions, r.filter, r.urgent, r.template, r.digest, r.quiet, r.created_at`;

/** Rules that name the type of the event and were there when it happened, on channels that are used. */
export async function rulesOn(db: Db, event: StoredEvent): Promise<RuleRow[]> {
  return db.many(sql`
    ${columns} from notifications.rules r join notifications.channels c on c.org_id = r.org_id and c.id = r.channel_id
    where r.enabled and c.enabled and r.types && ${namesOf(event.type)}::text[] and r.created_at <= ${event.time}
    order by r.id`);
}

export async function hasRules(db: Db): Promise<boolean> {
  return (await db.one<{ some: boolean }>(sql`select exists (select from notifications.rules) as some`)).some;
}

export async function ruleById(db: Db, id: string): Promise<RuleRow | undefined> {
  return db.maybe(sql`${columns} from notifications.rules r where r.id = ${id}`);
}

export async function countRules(db: Db): Promise<number> {
  return (await db.one<{ rules: number }>(sql`select count(*)::int as rules from notifications.rules`)).rules;
}

export async function rulesOfChannel(db: Db, channelId: string): Promise<RuleRow[]> {
  return db.many(sql`${columns} from notifications.rules r where r.channel_id = ${channelId}`);
}

/** By name. */
export async function listRules(db: Db, page: { channel?: string; after?: string; limit: number }): Promise<Rule[]> {
  const rows = await db.many<RuleRow>(sql`
    ${columns} from notifications.rules r where true ${page.channel === undefined ? none : sql`and r.channel_id = ${page.channel}`}
    ${page.after === undefined ? none : sql`and r.name > ${page.after}`} order by r.name limit ${page.limit}`);
  return rows.map(toRule);
}

export function toRule(row: RuleRow): Rule {
  return {
    id: ruleTypeId(row.id), name: row.name, channel: channelTypeId(row.channel_id), enabled: row.enabled, types: row.types, filter: row.filter as Rule["filter"],
    urgent: row.urgent as Rule["urgent"], template: row.template, digest: row.digest, quiet: row.quiet as Rule["quiet"], createdAt: row.created_at.toISOString(),
  };
}

import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { RuleRow } from "./rule-views.ts";

export interface RuleValues extends Omit<RuleRow, "created_at"> {
  orgId: string;
  at: string;
}

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

/** False where the name is taken. */
export async function insertRule(db: Db, rule: RuleValues): Promise<boolean> {
  return (await db.run(sql`
    insert into notifications.rules (org_id, id, name, channel_id, enabled, types, permissions, filter, urgent, template, digest, quiet, created_at, updated_at)
    values (${rule.orgId}, ${rule.id}, ${rule.name}, ${rule.channel_id}, ${rule.enabled}, ${rule.types}, ${rule.permissions}, ${json(rule.filter)}, ${json(rule.urgent)},
      ${json(rule.template)}, ${json(rule.digest)}, ${json(rule.quiet)}, ${rule.at}, ${rule.at}) on conflict (org_id, name) do nothing`)) === 1;
}

export async function updateRule(db: Db, rule: RuleValues): Promise<void> {
  await db.run(sql`
    update notifications.rules set channel_id = ${rule.channel_id}, enabled = ${rule.enabled}, types = ${rule.types}, permissions = ${rule.permissions}, filter = ${json(rule.filter)},
      urgent = ${json(rule.urgent)}, template = ${json(rule.template)}, digest = ${json(rule.digest)}, quiet = ${json(rule.quiet)}, updated_at = ${rule.at}
    where id = ${rule.id}`);
}

export async function deleteRule(db: Db, id: string): Promise<void> {
  await db.run(sql`delete from notifications.rules where id = ${id}`);
}

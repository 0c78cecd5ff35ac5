import type { Static } from "typebox";
import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Settings } from "./settings.ts";

export interface SettingsRow {
  version: number;
  settings: Static<typeof Settings>;
  changed_by: string;
  changed_at: Date;
}

/** What holds now; undefined where no such organization is to be seen. */
export async function currentSettings(db: Db, orgId: string): Promise<{ settings: Static<typeof Settings>; version: number } | undefined> {
  return db.maybe(sql`
    select o.settings, coalesce((select max(h.version) from organizations.settings_history h where h.org_id = o.id), 0) as version
    from organizations.organizations o where o.id = ${orgId}`);
}

/** Versions from the newest on, older than `before`. */
export async function settingsHistory(db: Db, orgId: string, page: { before: number | null; limit: number }): Promise<SettingsRow[]> {
  return db.many<SettingsRow>(sql`
    select version, settings, changed_by, changed_at from organizations.settings_history
    where org_id = ${orgId} and (${page.before}::integer is null or version < ${page.before}::integer)
    order by version desc limit ${page.limit}`);
}

/** Sets the next version; false when somebody else has made it already. */
export async function insertSettings(db: Db, orgId: string, next: { version: number; settings: Static<typeof Settings>; by: string; at: string }): Promise<boolean> {
  const made = await db.run(sql`
    insert into organizations.settings_history (org_id, version, settings, changed_by, changed_at)
    values (${orgId}, ${next.version}, ${JSON.stringify(next.settings)}::jsonb, ${next.by}, ${next.at}) on conflict do nothing`);
  if (made === 0) return false;
  await db.run(sql`update organizations.organizations set settings = ${JSON.stringify(next.settings)}::jsonb where id = ${orgId}`);
  return true;
}

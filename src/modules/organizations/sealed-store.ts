import type { Query } from "../../platform/database/sql.ts";
import { sql } from "../../platform/database/sql.ts";
import type { SealedColumn } from "../../platform/secrets/sealed-column.ts";

interface Found {
  key: string;
  envelope: string;
}

/** Each table has a key of one column, and its values belong to no organization. */
function column(name: string, purpose: string, page: (after: string, limit: number) => Query, replace: (key: string, before: string, envelope: string) => Query): SealedColumn {
  return {
    column: name,
    replaces: "system",
    async page(db, after, limit) {
      const rows = await db.many<Found>(page(after?.[0] ?? "", limit));
      return rows.map(({ key, envelope }) => ({ key: [key], envelope, context: { purpose } }));
    },
    replace: async (db, { key: [key = ""], envelope: before }, envelope) => (await db.run(replace(key, before, envelope))) === 1,
  };
}

const firstUuid = "00000000-0000-0000-0000-000000000000";

/** What this module keeps sealed. */
export const sealedColumns: readonly SealedColumn[] = [
  column(
    "organizations.password_credentials.sealed", "first-administrator",
    (after, limit) => sql`
      select user_id::text as key, sealed as envelope from organizations.password_credentials
      where sealed is not null and user_id > ${after || firstUuid}::uuid order by user_id limit ${limit}`,
    (key, before, envelope) => sql`update organizations.password_credentials set sealed = ${envelope} where user_id = ${key}::uuid and sealed = ${before}`,
  ),
  column(
    "organizations.totp.secret", "totp",
    (after, limit) => sql`select user_id::text as key, secret as envelope from organizations.totp where user_id > ${after || firstUuid}::uuid order by user_id limit ${limit}`,
    (key, before, envelope) => sql`update organizations.totp set secret = ${envelope} where user_id = ${key}::uuid and secret = ${before}`,
  ),
  column(
    "organizations.oidc_keys.sealed", "oidc-key",
    (after, limit) => sql`select id as key, sealed as envelope from organizations.oidc_keys where id > ${after} order by id limit ${limit}`,
    (key, before, envelope) => sql`update organizations.oidc_keys set sealed = ${envelope} where id = ${key} and sealed = ${before}`,
  ),
];

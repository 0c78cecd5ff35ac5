import { timestamp, type Clock } from "../platform/clock.ts";
import type { Database, Db } from "../platform/database/database.ts";
import { sql } from "../platform/database/sql.ts";
import type { Ids } from "../platform/ids.ts";
import type { Secrets } from "../platform/secrets/types.ts";

export interface DataKey {
  id: string;
  key: Buffer;
}

/** The data keys of organizations, made on first use. Unwrapped ones stay in memory only. */
export function createDataKeys(ports: { database: Database; secrets: Secrets; clock: Clock; ids: Ids }): (orgId: string, id?: string) => Promise<DataKey> {
  const { database, secrets, clock, ids } = ports;
  const opened = new Map<string, DataKey>();
  const purpose = "data-key";

  async function read(db: Db, orgId: string, id: string | undefined): Promise<{ id: string; wrapped: string } | undefined> {
    return id === undefined
      ? db.maybe(sql`select id, wrapped from platform.data_keys where org_id = ${orgId} order by created_at desc limit 1`)
      : db.maybe(sql`select id, wrapped from platform.data_keys where org_id = ${orgId} and id = ${id}`);
  }

  return async (orgId, id) => {
    const known = opened.get(`${orgId} ${id ?? "current"}`);
    if (known !== undefined) return known;
    const row = await database.system(async (db) => {
      const there = await read(db, orgId, id);
      if (there !== undefined) return there;
      if (id !== undefined) throw new Error(`the data key ${id} of an organization is gone, so what it encrypted cannot be read`);
      const { wrapped } = await secrets.createDataKey({ purpose, org: orgId });
      await db.run(sql`insert into platform.data_keys (org_id, id, wrapped, created_at) values (${orgId}, ${ids.uuid()}, ${wrapped}, ${timestamp(clock)})`);
      return (await read(db, orgId, undefined)) as { id: string; wrapped: string };
    });
    const key: DataKey = { id: row.id, key: await secrets.unwrap(row.wrapped, { purpose, org: orgId }) };
    opened.set(`${orgId} ${row.id}`, key);
    if (id === undefined) opened.set(`${orgId} current`, key);
    return key;
  };
}

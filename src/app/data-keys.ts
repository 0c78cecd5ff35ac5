import { timestamp, type Clock } from "../platform/clock.ts";
import type { Database, Db } from "../platform/database/database.ts";
import { sql } from "../platform/database/sql.ts";
import type { Ids } from "../platform/ids.ts";
import type { SealedColumn } from "../platform/secrets/sealed-column.ts";
import type { Secrets } from "../platform/secrets/types.ts";

export interface DataKey {
  id: string;
  key: Buffer;
}

export interface DataKeys {
  /** The current key of an organization, made on first use, or with an id the key of that name. */
  of(orgId: string, id?: string): Promise<DataKey>;
  /** Keeps an organization's keys, or those of all, in memory no longer. */
  forget(orgId?: string): void;
}

const purpose = "data-key";

/** Whose unwrapped keys stay in memory; those that came first go first. */
const mostOrganizations = 10_000;

/** The data keys of organizations. Unwrapped ones stay in memory only. */
export function createDataKeys(ports: { database: Database; secrets: Secrets; clock: Clock; ids: Ids }): DataKeys {
  const { database, secrets, clock, ids } = ports;
  const opened = new Map<string, Map<string, DataKey>>();
  /** Keys that are unwrapped meanwhile were read before. */
  let forgotten = 0;

  async function read(db: Db, orgId: string, id: string | undefined): Promise<{ id: string; wrapped: string } | undefined> {
    return id === undefined
      ? db.maybe(sql`select id, wrapped from platform.data_keys where org_id = ${orgId} order by created_at desc limit 1`)
      : db.maybe(sql`select id, wrapped from platform.data_keys where org_id = ${orgId} and id = ${id}`);
  }

  /** The key is wrapped before the transaction, because that may be a call to another system. */
  async function make(orgId: string): Promise<{ id: string; wrapped: string }> {
    const { wrapped } = await secrets.createDataKey({ purpose, org: orgId });
    return database.system(async (db) => {
      const made = await db.run(sql`
        insert into platform.data_keys (org_id, id, wrapped, created_at)
        select ${orgId}, ${ids.uuid()}, ${wrapped}, ${timestamp(clock)} where not platform.erasure_begun(${orgId})`);
      if (made === 0) throw new Error("the keys of this organization were destroyed, and it gets no others");
      return (await read(db, orgId, undefined)) as { id: string; wrapped: string };
    });
  }

  return {
    async of(orgId, id) {
      const known = opened.get(orgId)?.get(id ?? "current");
      if (known !== undefined) return known;
      const before = forgotten;
      const there = await database.system((db) => read(db, orgId, id));
      if (there === undefined && id !== undefined) throw new Error(`the data key ${id} of an organization is gone, so what it encrypted cannot be read`);
      const row = there ?? (await make(orgId));
      const key: DataKey = { id: row.id, key: await secrets.unwrap(row.wrapped, { purpose, org: orgId }) };
      if (forgotten !== before) return key;
      const ofOrg = opened.get(orgId) ?? new Map<string, DataKey>();
      opened.set(orgId, ofOrg);
      if (opened.size > mostOrganizations) opened.delete(opened.keys().next().value ?? orgId);
      ofOrg.set(row.id, key);
      if (id === undefined) ofOrg.set("current", key);
      return key;
    },
    forget(orgId) {
      forgotten += 1;
      // Not overwritten: somebody may be encrypting with it at this moment.
      if (orgId === undefined) opened.clear();
      else opened.delete(orgId);
    },
  };
}

export const dataKeyColumn: SealedColumn = {
  column: "platform.data_keys.wrapped",
  replaces: "system",
  async page(db, after, limit) {
    const [org = "00000000-0000-0000-0000-000000000000", id = ""] = after ?? [];
    const rows = await db.many<{ org_id: string; id: string; wrapped: string }>(sql`
      select org_id, id, wrapped from platform.data_keys where (org_id, id) > (${org}::uuid, ${id}::text) order by org_id, id limit ${limit}`);
    return rows.map((row) => ({ key: [row.org_id, row.id], envelope: row.wrapped, context: { purpose, org: row.org_id } }));
  },
  async replace(db, { key: [org, id], envelope: before }, envelope) {
    return (await db.run(sql`update platform.data_keys set wrapped = ${envelope} where org_id = ${org} and id = ${id} and wrapped = ${before}`)) === 1;
  },
};

import { createHash } from "node:crypto";
import { orgSegment, pointerSegments } from "../platform/blobs/blob-name.ts";
import type { BlobStore } from "../platform/blobs/types.ts";
import type { Database, Db } from "../platform/database/database.ts";
import { sql } from "../platform/database/sql.ts";
import type { Quotas } from "../platform/operation/quotas.ts";

export interface CountedBlobsPorts {
  database: Pick<Database, "system">;
  quotas(db: Db, orgId: string): Quotas;
}

type Kind = "blob" | "object";

/**
 * The blob store with the quota `storage`: plain bytes, the same blob once, a named object as it is now. What is counted
 * is taken before anything is written, and given back where the writing fails. Errors: QuotaExceeded and the store's.
 */
export function countedBlobs(blobs: BlobStore, { database, quotas }: CountedBlobsPorts): BlobStore {
  /** Reserves what it grows by; what to do when nothing was written after all. */
  async function reserve(orgId: string, kind: Kind, name: string, size: number): Promise<() => Promise<void>> {
    const before = await database.system(async (db) => {
      const known = await lockedSize(db, orgId, kind, name);
      const grown = size - (known ?? 0);
      if (grown > 0) await quotas(db, orgId).take("storage", grown);
      if (known === undefined || grown > 0) await note(db, { orgId, kind, name, size });
      return known;
    });
    return () => database.system(async (db) => {
      if ((await lockedSize(db, orgId, kind, name)) !== size || before === size) return;
      await (before === undefined ? forget(db, orgId, kind, name) : note(db, { orgId, kind, name, size: before }));
      await quotas(db, orgId).give("storage", size - (before ?? 0));
    });
  }

  async function shrink(orgId: string, name: string, size: number): Promise<void> {
    await database.system(async (db) => {
      const known = await lockedSize(db, orgId, "object", name);
      if (known === undefined || known <= size) return;
      await note(db, { orgId, kind: "object", name, size });
      await quotas(db, orgId).give("storage", known - size);
    });
  }

  async function written<T>(orgId: string, kind: Kind, name: string, size: number, write: () => Promise<T>): Promise<T> {
    orgSegment(orgId);
    const undo = await reserve(orgId, kind, name, size);
    try {
      return await write();
    } catch (error) {
      await undo();
      throw error;
    }
  }

  return {
    ...blobs,
    put: (orgId, bytes) => written(orgId, "blob", createHash("sha256").update(bytes).digest("hex"), bytes.length, () => blobs.put(orgId, bytes)),
    async point(orgId, name, bytes) {
      pointerSegments(name);
      await written(orgId, "object", name, bytes.length, () => blobs.point(orgId, name, bytes));
      await shrink(orgId, name, bytes.length);
    },
    async removeAll(orgId) {
      const removed = await blobs.removeAll(orgId);
      await database.system(async (db) => {
        const { size } = await db.one<{ size: number }>(sql`
          with gone as (delete from platform.stored where org_id = ${orgId} returning size) select coalesce(sum(size), 0)::bigint as size from gone`);
        await quotas(db, orgId).give("storage", size);
      });
      return removed;
    },
  };
}

async function lockedSize(db: Db, orgId: string, kind: Kind, name: string): Promise<number | undefined> {
  // Two that store the same name for the first time have no row to wait at.
  await db.run(sql`select pg_advisory_xact_lock(hashtextextended(${`stored ${orgId} ${kind} ${name}`}, 0))`);
  return (await db.maybe<{ size: number }>(sql`select size from platform.stored where org_id = ${orgId} and kind = ${kind} and name = ${name}`))?.size;
}

async function note(db: Db, { orgId, kind, name, size }: { orgId: string; kind: Kind; name: string; size: number }): Promise<void> {
  await db.run(sql`
    insert into platform.stored (org_id, kind, name, size) values (${orgId}, ${kind}, ${name}, ${size})
    on conflict (org_id, kind, name) do update set size = excluded.size`);
}

async function forget(db: Db, orgId: string, kind: Kind, name: string): Promise<void> {
  await db.run(sql`delete from platform.stored where org_id = ${orgId} and kind = ${kind} and name = ${name}`);
}

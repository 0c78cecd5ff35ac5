import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";

/** Closes the organization; false where that was done before. */
export async function closeOrganization(db: Db, closing: { orgId: string; at: string; dueAt: string }): Promise<boolean> {
  return (await db.run(sql`
    update organizations.organizations set closed_at = ${closing.at}, due_at = ${closing.dueAt}
    where id = ${closing.orgId} and closed_at is null and not is_platform`)) === 1;
}

export async function insertDeletion(db: Db, deletion: { orgId: string; slug: string; by: string; at: string; dueAt: string }): Promise<void> {
  await db.run(sql`
    insert into organizations.deletions (organization, slug, requested_by, requested_at, due_at, state)
    values (${deletion.orgId}, ${deletion.slug}, ${deletion.by}, ${deletion.at}, ${deletion.dueAt}, 'waiting')
    on conflict (organization) do update set slug = excluded.slug, requested_by = excluded.requested_by,
      requested_at = excluded.requested_at, due_at = excluded.due_at, state = 'waiting', progress = '{}', finished_at = null
    where organizations.deletions.state = 'restored'`);
}

/** Opens the organization again; false once its time is over. */
export async function reopenOrganization(db: Db, orgId: string, now: string): Promise<boolean> {
  const restored = await db.run(sql`
    update organizations.deletions set state = 'restored', finished_at = ${now}
    where organization = ${orgId} and state = 'waiting' and due_at > ${now}`);
  if (restored === 0) return false;
  await db.run(sql`update organizations.organizations set closed_at = null, due_at = null where id = ${orgId}`);
  return true;
}

/** True for the one who begins the erasure; from then on it cannot be restored. */
export async function beginErasure(db: Db, orgId: string, now: string, progress: object): Promise<boolean> {
  return (await db.run(sql`
    update organizations.deletions set state = 'erasing', progress = ${JSON.stringify(progress)}
    where organization = ${orgId} and state = 'waiting' and due_at <= ${now}`)) === 1;
}

/** Adds to the rows that were removed from a table. */
export async function noteErasedRows(db: Db, orgId: string, table: string, rows: number): Promise<void> {
  await db.run(sql`
    update organizations.deletions set progress = jsonb_set(progress, '{rows}',
      coalesce(progress->'rows', '{}') || jsonb_build_object(${table}::text, coalesce((progress->'rows'->>${table}::text)::bigint, 0) + ${rows}::bigint))
    where organization = ${orgId}`);
}

/** Adds to a count beside the rows. */
export async function noteErased(db: Db, orgId: string, what: "blobs" | "people", count: number): Promise<void> {
  await db.run(sql`
    update organizations.deletions set progress = progress || jsonb_build_object(${what}::text, coalesce((progress->>${what}::text)::bigint, 0) + ${count}::bigint)
    where organization = ${orgId}`);
}

/** Removes the organization itself. False where it is gone already. */
export async function deleteOrganizationRow(db: Db, orgId: string): Promise<boolean> {
  return (await db.run(sql`delete from organizations.organizations where id = ${orgId} and not is_platform`)) === 1;
}

export async function finishErasure(db: Db, orgId: string, at: string): Promise<void> {
  await db.run(sql`update organizations.deletions set state = 'done', finished_at = ${at} where organization = ${orgId} and state = 'erasing'`);
}

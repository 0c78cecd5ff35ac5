import { sql } from "../database/sql.ts";
import type { SealedColumn } from "../secrets/sealed-column.ts";

/** The keys of what the log says about persons. They are only ever made and deleted, so a new envelope takes the old one's place by both. */
export const subjectKeyColumn: SealedColumn = {
  column: "events.subject_keys.wrapped",
  replaces: "tenant",
  async page(db, after, limit) {
    const [org = "00000000-0000-0000-0000-000000000000", subject = ""] = after ?? [];
    const rows = await db.many<{ org_id: string; subject_id: string; wrapped: string }>(sql`
      select org_id, subject_id, wrapped from events.subject_keys where (org_id, subject_id) > (${org}::uuid, ${subject}::text)
      order by org_id, subject_id limit ${limit}`);
    return rows.map((row) => ({ key: [row.org_id, row.subject_id], envelope: row.wrapped, context: { purpose: "subject-key", org: row.org_id } }));
  },
  async replace(db, { key: [org, subject], envelope: before }, envelope) {
    const taken = await db.run(sql`delete from events.subject_keys where org_id = ${org} and subject_id = ${subject} and wrapped = ${before}`);
    if (taken === 0) return false;
    await db.run(sql`insert into events.subject_keys (org_id, subject_id, wrapped) values (${org}, ${subject}, ${envelope})`);
    return true;
  },
};

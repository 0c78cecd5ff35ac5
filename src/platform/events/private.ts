import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import { sql } from "../database/sql.ts";
import type { Db } from "../database/database.ts";
import { openEnvelope, sealEnvelope } from "../secrets/envelope.ts";
import type { Random, Secrets } from "../secrets/types.ts";

/** What the log needs of the secrets port. */
export type SubjectKeys = Pick<Secrets, "createDataKey" | "unwrap">;

/** Seals and opens what events say about persons, each body under the key of its subject. */
export interface PrivateBodies {
  /** The envelope to store and the keyed hash that goes into the event. */
  seal(db: Db, orgId: string, eventId: string, subjectId: string, body: Record<string, unknown>): Promise<{ envelope: string; hash: string }>;
  /** The body, or undefined where there is none or its subject was erased. */
  open(db: Db, orgId: string, eventId: string): Promise<Record<string, unknown> | undefined>;
}

const keyName = "subject";

export function createPrivateBodies(keys: SubjectKeys, random: Random = randomBytes): PrivateBodies {
  async function wrappedKey(db: Db, orgId: string, subjectId: string): Promise<string | undefined> {
    const row = await db.maybe<{ wrapped: string }>(sql`select wrapped from events.subject_keys where org_id = ${orgId} and subject_id = ${subjectId}`);
    return row?.wrapped;
  }

  async function subjectKey(db: Db, orgId: string, subjectId: string): Promise<Buffer> {
    let wrapped = await wrappedKey(db, orgId, subjectId);
    if (wrapped === undefined) {
      const made = await keys.createDataKey({ purpose: "subject-key", org: orgId });
      await db.run(sql`insert into events.subject_keys (org_id, subject_id, wrapped) values (${orgId}, ${subjectId}, ${made.wrapped}) on conflict do nothing`);
      wrapped = (await wrappedKey(db, orgId, subjectId)) ?? made.wrapped; // another transaction's, where that one was first
    }
    return keys.unwrap(wrapped, { purpose: "subject-key", org: orgId });
  }

  return {
    async seal(db, orgId, eventId, subjectId, body) {
      const key = await subjectKey(db, orgId, subjectId);
      const plain = Buffer.from(JSON.stringify(body));
      return {
        envelope: sealEnvelope("sealed", keyName, key, plain, { purpose: "event-private", org: orgId }, random),
        hash: keyedHash(key, eventId, plain),
      };
    },
    async open(db, orgId, eventId) {
      const row = await db.maybe<{ body: string; wrapped: string }>(sql`
        select p.body, k.wrapped from events.private p join events.subject_keys k on k.org_id = p.org_id and k.subject_id = p.subject_id
        where p.org_id = ${orgId} and p.event_id = ${eventId}`);
      if (row === undefined) return undefined;
      const key = await keys.unwrap(row.wrapped, { purpose: "subject-key", org: orgId });
      const plain = openEnvelope(row.body, "sealed", { purpose: "event-private", org: orgId }, () => key);
      return JSON.parse(plain.toString()) as Record<string, unknown>;
    },
  };
}

/** HMAC-SHA-256 over event id and body, under HKDF-SHA-256 of the subject's key. Hex. */
export function keyedHash(key: Uint8Array, eventId: string, plain: Uint8Array): string {
  const hashing = Buffer.from(hkdfSync("sha256", key, new Uint8Array(0), "qinfra/event-private-hash/1", 32));
  return createHmac("sha256", hashing).update(eventId).update("\n").update(plain).digest("hex");
}

/** Erases a person from the log: without the key no copy of what was said about the person opens again. No chain breaks. */
export async function eraseSubject(db: Db, orgId: string, subjectId: string): Promise<boolean> {
  const erased = await db.run(sql`delete from events.subject_keys where org_id = ${orgId} and subject_id = ${subjectId}`);
  await db.run(sql`delete from events.private where org_id = ${orgId} and subject_id = ${subjectId}`);
  return erased > 0;
}

/** As `eraseSubject`, in every organization and under each of the names that the person has; through the system's door. The number of keys. */
export async function eraseSubjectEverywhere(db: Db, subjectIds: readonly string[]): Promise<number> {
  const erased = await db.many<{ org_id: string }>(sql`delete from events.subject_keys where subject_id = any(${subjectIds}::text[]) returning org_id`);
  await db.run(sql`delete from events.private where org_id = any(${erased.map((row) => row.org_id)}::uuid[]) and subject_id = any(${subjectIds}::text[])`);
  return erased.length;
}

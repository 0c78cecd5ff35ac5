import { sql } from "../database/sql.ts";
import type { Database } from "../database/database.ts";
import { timestamp, type Clock } from "../clock.ts";
import type { CheckpointBlobs } from "./checkpoints.ts";
import { decodeExport, encodeExport, exportFault, exportName, sha256 } from "./export.ts";
import type { Month } from "./partitions.ts";

export interface ExportPorts {
  database: Database;
  blobs: CheckpointBlobs;
  clock: Clock;
}

/** Most of one file: it is written and read as a whole. */
export interface PartLimits {
  events: number;
  bytes: number;
}

interface Row {
  org_seq: number;
  position: number;
  time: Date;
  hash: Buffer;
  chain_hash: Buffer;
  body: string;
}

const pageSize = 1_000;

/** Writes what an organization's events of a month still miss in the blobs, file by file, each read back before it counts. */
export async function exportMonth(ports: ExportPorts, month: Month, orgId: string, limits: PartLimits, stop: AbortSignal): Promise<void> {
  for (;;) {
    stop.throwIfAborted();
    const last = await ports.database.system((db) => db.one<{ part: number; seq: number }>(sql`
      select coalesce(max(part), 0) as part, coalesce(max(last_seq), 0) as seq from events.exports where org_id = ${orgId} and partition = ${month.partition}`));
    const rows = await nextRows(ports.database, month, orgId, last.seq, limits);
    if (rows.length === 0) return;
    await writePart(ports, month, orgId, last.part + 1, rows);
  }
}

async function nextRows(database: Database, month: Month, orgId: string, after: number, limits: PartLimits): Promise<Row[]> {
  const rows: Row[] = [];
  for (let bytes = 0, seq = after; rows.length < limits.events && bytes < limits.bytes; ) {
    const page = await database.system((db) => db.many<Row>(sql`
      select org_seq, position, time, hash, chain_hash, body from events.log
      where org_id = ${orgId} and id >= ${month.from} and id < ${month.to} and org_seq > ${seq} order by org_seq limit ${Math.min(pageSize, limits.events - rows.length)}`));
    const end = page.at(-1);
    if (end === undefined) break;
    rows.push(...page);
    seq = end.org_seq;
    for (const { body } of page) bytes += body.length;
  }
  return rows;
}

async function writePart({ database, blobs, clock }: ExportPorts, month: Month, orgId: string, part: number, rows: readonly Row[]): Promise<void> {
  const [first, last] = [rows[0] as Row, rows.at(-1) as Row];
  const changed = rows.find((row) => !sha256(row.body).equals(row.hash));
  if (changed !== undefined) throw new Error(`event ${changed.org_seq} of organization ${orgId} is not the one that was hashed; it stays in the log`);
  const name = exportName(month.partition, part);
  const bytes = await encodeExport(rows.map((row) => ({ seq: row.org_seq, position: row.position, chainHash: row.chain_hash, body: row.body })));
  await blobs.write(orgId, name, bytes);
  const back = await blobs.read(orgId, name);
  const digest = sha256(bytes);
  if (back === undefined || !sha256(back).equals(digest)) throw new Error(`${name} of organization ${orgId} was not read back as it was written`);
  const fault = exportFault({ events: rows.length, first_seq: first.org_seq, last_seq: last.org_seq }, await decodeExport(back));
  if (fault !== undefined) throw new Error(`${name} of organization ${orgId}: ${fault}`);
  const times = rows.map((row) => row.time.getTime());
  await database.system((db) => db.run(sql`
    insert into events.exports (org_id, partition, part, name, events, first_seq, last_seq, first_position, last_position, first_time, last_time, chain_hash, sha256, bytes, exported_at)
    values (${orgId}, ${month.partition}, ${part}, ${name}, ${rows.length}, ${first.org_seq}, ${last.org_seq}, ${first.position}, ${last.position},
      ${new Date(times.reduce((a, b) => Math.min(a, b))).toISOString()}, ${new Date(times.reduce((a, b) => Math.max(a, b))).toISOString()},
      ${last.chain_hash}, ${digest}, ${bytes.length}, ${timestamp(clock)})`));
}

import { createHash } from "node:crypto";
import { sql } from "../database/sql.ts";
import type { Database } from "../database/database.ts";
import { chainHash, chainStart, latestCheckpoint, dailyCheckpoint, parseCheckpoint, type Checkpoint } from "./chain.ts";
import { signatureHolds, storedCheckpoints, type CheckpointBlobs, type CheckpointKeys } from "./checkpoints.ts";
import { createArchive, ExportChanged, ExportMissing, exportedParts, type Archive } from "./archive.ts";
import { parseCloudEvent } from "./cloud-event.ts";
import { DeclaredError } from "../errors.ts";
import { createWalk, type Row, type Walk } from "./walk.ts";

export type ProblemKind =
  | "body-changed" // the body's hash is not the stored one
  | "column-changed" // a column beside the body says something else than the body
  | "event-missing" // a gap in the organization's sequence
  | "order-changed" // positions do not rise with the sequence
  | "chain-broken" // the chain hash does not follow from the one before
  | "version-broken" // a stream's versions have a gap, a double, or the wrong order
  | "head-differs" // the end of the log is not where the organization's chain says it is
  | "signature-invalid" // a checkpoint's signature does not hold
  | "checkpoint-differs" // a signed checkpoint says another chain hash: the chain was computed anew
  | "export-missing" // a file of retired events is not in the blobs
  | "export-changed" // a file of retired events is not what was written
  | "rolled-back"; // a signed checkpoint is beyond the end of the log: it was cut, or an older database came back

export interface Problem {
  kind: ProblemKind;
  orgId: string;
  orgSeq: number;
  eventId?: string;
  what: string;
}

export interface Verification {
  organizations: number;
  events: number;
  checkpoints: number;
  /** Committed events that the sealer has not taken yet. */
  unsealed: number;
  /** Sealed events after the newest checkpoint of their organization; a moment later they are signed too. */
  unsigned: number;
  problems: number;
  /** The first problem that was found; none when the log is whole. */
  first?: Problem;
}

export interface VerifyOptions {
  database: Database;
  keys: Pick<CheckpointKeys, "verifier">;
  blobs: Pick<CheckpointBlobs, "read">;
  /** All organizations without it, and then the global positions too. */
  orgId?: string;
  pageSize?: number;
  progress?(events: number): void;
  signal?: AbortSignal;
}

/** Recomputes everything from the bodies, in pages, while the log goes on. One problem an organization ends its walk. */
export async function verifyLog(options: VerifyOptions): Promise<Verification> {
  const { database, orgId } = options;
  const result: Verification = { organizations: 0, events: 0, checkpoints: 0, unsealed: 0, unsigned: 0, problems: 0 };
  const organizations = orgId === undefined ? await allOrganizations(database) : [orgId];
  for (const one of organizations) {
    result.organizations += 1;
    note(result, await verifyOrganization(options, one, result));
  }
  if (orgId === undefined) note(result, await verifyPositions(database));
  return result;
}

function note(result: Verification, problem: Problem | undefined): void {
  if (problem === undefined) return;
  result.problems += 1;
  result.first ??= problem;
}

async function allOrganizations(database: Database): Promise<string[]> {
  const rows = await database.system((db) => db.many<{ org_id: string }>(sql`
    select org_id from events.chains union select org_id from events.checkpoints union select org_id from events.streams order by org_id`));
  return rows.map((row) => row.org_id);
}

async function verifyOrganization(options: VerifyOptions, orgId: string, result: Verification): Promise<Problem | undefined> {
  const archive = createArchive(options.blobs);
  const before = { ...result };
  for (;;) {
    const archived = (await options.database.system((db) => exportedParts(db, orgId))).length > 0;
    const found = await walkOrganization(options, { orgId, archive, archived }, result).catch(unreadable(orgId));
    if (found !== "retired meanwhile") return found;
    Object.assign(result, before);
  }
}

/** A file that is missing or changed is something wrong with the log; one that cannot be reached is not. */
function unreadable(orgId: string): (error: unknown) => Problem {
  return (error) => {
    if (!(error instanceof DeclaredError) || (error.type !== ExportMissing && error.type !== ExportChanged)) throw error;
    return { kind: error.type === ExportMissing ? "export-missing" : "export-changed", orgId, orgSeq: Number(error.data?.["firstSequence"]), what: error.message };
  };
}

async function walkOrganization(
  options: VerifyOptions, { orgId, archive, archived }: { orgId: string; archive: Archive; archived: boolean }, result: Verification,
): Promise<Problem | "retired meanwhile" | undefined> {
  const { database, pageSize = 1_000, progress, signal } = options;
  // Signed before the end is looked up, so that what is signed meanwhile is not taken for a cut.
  const { checkpoints, problem } = await signedCheckpoints(options, orgId);
  const end = await endOf(database, orgId);
  result.unsealed += end.unsealed;
  result.checkpoints += checkpoints.length;
  result.unsigned += Math.max(0, end.seq - Math.max(0, ...checkpoints.map((one) => one.seq)));
  if (problem !== undefined) return problem;

  const bySeq = Map.groupBy(checkpoints, (one) => one.seq);
  const walk = createWalk({ database, archive, orgId, to: end.seq, pageSize, archived });
  let seq = 0;
  let position = 0;
  let hash: Buffer = chainStart;
  while (seq < end.seq) {
    signal?.throwIfAborted();
    const rows = await walk.next(seq);
    if (rows === undefined) return "retired meanwhile";
    for (const row of rows) {
      const broken = check(row, { orgId, seq, position, hash });
      if (broken !== undefined) return broken;
      ({ org_seq: seq, position, chain_hash: hash } = row);
      const other = bySeq.get(seq)?.find((one) => !one.chainHash.equals(row.chain_hash));
      if (other !== undefined) {
        return { kind: "checkpoint-differs", orgId, orgSeq: seq, eventId: row.id, what: `the checkpoint signed at ${other.time} has another chain hash: events up to ${seq} were changed and the chain computed anew` };
      }
    }
    result.events += rows.length;
    progress?.(result.events);
    if (rows.length === 0) break;
  }
  const beyond = checkpoints.find((one) => one.seq > seq);
  if (beyond !== undefined) {
    return { kind: "rolled-back", orgId, orgSeq: seq, what: `the log ends at ${seq}, but a checkpoint of ${beyond.time} was signed for ${beyond.seq}: events were cut off, or an older database was brought back` };
  }
  if (seq !== end.seq || !hash.equals(end.hash)) {
    return { kind: "head-differs", orgId, orgSeq: seq, what: `the log ends at ${seq}, the chain of the organization at ${end.seq}` };
  }
  return streamHeads(database, orgId, walk);
}

function check(row: Row, last: { orgId: string; seq: number; position: number; hash: Buffer }): Problem | undefined {
  const problem = (kind: ProblemKind, what: string): Problem => ({ kind, orgId: last.orgId, orgSeq: row.org_seq, eventId: row.id, what });
  if (row.org_seq !== last.seq + 1) return problem("event-missing", `after ${last.seq} comes ${row.org_seq}`);
  if (!createHash("sha256").update(row.body).digest().equals(row.hash)) return problem("body-changed", "the body is not the one that was hashed");
  if (!isJson(row.body)) return problem("body-changed", "the body is no JSON");
  if (!chainHash(last.hash, row.org_seq, row.hash).equals(row.chain_hash)) return problem("chain-broken", "the chain hash does not follow from the event and the chain before it");
  if (row.position <= last.position) return problem("order-changed", `position ${row.position} after ${last.position}`);
  const column = differingColumn(row, last.orgId);
  if (column !== undefined) return problem("column-changed", `the column ${column} says something else than the body`);
  if (row.same !== 1) return problem("version-broken", `${row.same} events are version ${row.version} of ${row.stream}`);
  if (row.version > 1 && (row.before === null || row.before >= row.org_seq)) return problem("version-broken", `version ${row.version} of ${row.stream} does not follow version ${row.version - 1}`);
  return undefined;
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

function differingColumn(row: Row, orgId: string): string | undefined {
  const body = parseCloudEvent(row.body);
  const pairs: readonly [string, unknown, unknown][] = [
    ["id", row.id, body.id], ["org_id", orgId, body.orgid], ["type", row.type, body.type], ["subject", row.subject, body.subject],
    ["stream", row.stream, body.stream], ["version", row.version, body.version], ["actor", row.actor, body.actor],
    ["operation", row.operation, body.operation], ["request_id", row.request_id, body.requestid], ["door", row.door, body.door],
    ["ai", row.ai, body.ai], ["time", row.time.getTime(), Date.parse(body.time)],
  ];
  return pairs.find(([, column, said]) => column !== said)?.[0];
}

async function endOf(database: Database, orgId: string): Promise<{ seq: number; hash: Buffer; unsealed: number }> {
  const row = await database.system((db) => db.one<{ seq: number | null; hash: Buffer | null; unsealed: number }>(sql`
    select c.seq, c.hash, (select count(*) from events.log where org_id = ${orgId} and position is null) as unsealed
    from (select 1) one left join events.chains c on c.org_id = ${orgId}`));
  return { seq: row.seq ?? 0, hash: row.hash ?? chainStart, unsealed: row.unsealed };
}

/** Of the database and of the blobs. A blob that is missing is no problem: the checkpoint may be a moment old. */
async function signedCheckpoints({ database, keys, blobs }: VerifyOptions, orgId: string): Promise<{ checkpoints: Checkpoint[]; problem?: Problem }> {
  const checkpoints = await storedCheckpoints(database, orgId);
  const days = checkpoints.map((one) => dailyCheckpoint(orgId, one.time.slice(0, 10)));
  for (const name of [latestCheckpoint(orgId), ...days]) {
    const bytes = await blobs.read(orgId, name);
    if (bytes === undefined) continue;
    const parsed = parseCheckpoint(bytes);
    if (parsed === undefined || parsed.orgId !== orgId) return { checkpoints, problem: { kind: "signature-invalid", orgId, orgSeq: 0, what: `the blob ${name} is no checkpoint of this organization` } };
    checkpoints.push(parsed);
  }
  const forged = checkpoints.find((one) => !signatureHolds({ ...keys, signer: () => unreachable() }, one));
  if (forged !== undefined) {
    return { checkpoints, problem: { kind: "signature-invalid", orgId, orgSeq: forged.seq, what: `the signature of the checkpoint of ${forged.time} does not hold` } };
  }
  return { checkpoints };
}

function unreachable(): never {
  throw new Error("verifying signs nothing");
}

/** An event that was removed before it was sealed shows only here: its stream counts it. */
async function streamHeads(database: Database, orgId: string, walk: Walk): Promise<Problem | undefined> {
  for (let after = ""; ; ) {
    const rows = await database.system((db) => db.many<{ stream: string; version: number; last_hash: Buffer }>(sql`
      select s.stream, s.version, s.last_hash from events.streams s where s.org_id = ${orgId} and s.stream > ${after} and not exists (
        select 1 from events.log l where l.org_id = s.org_id and l.stream = s.stream and l.version = s.version and l.hash = s.last_hash
      ) order by s.stream limit 1000`));
    for (const row of rows) {
      // Not in the log any more, but in a file that was walked over.
      const head = walk.headOf(row.stream);
      if (head?.version !== row.version || !head.hash.equals(row.last_hash)) return { kind: "version-broken", orgId, orgSeq: 0, what: `version ${row.version} of ${row.stream} is not in the log` };
    }
    const last = rows.at(-1);
    if (last === undefined) return undefined;
    after = last.stream;
  }
}

async function verifyPositions(database: Database): Promise<Problem | undefined> {
  const row = await database.system((db) => db.one<{ head: number; events: number; top: number }>(sql`
    select h.position as head,
      (select count(*) from events.log where position <= h.position) + (select coalesce(sum(events), 0) from events.exports where retired_at is not null)
        + (select coalesce(sum(events), 0) from events.erased) as events,
      greatest((select max(position) from events.log where position <= h.position), (select max(last_position) from events.exports where retired_at is not null),
        (select max(last_position) from events.erased), 0) as top
    from events.head h`));
  if (row.events === row.head && row.top === row.head) return undefined;
  return { kind: "event-missing", orgId: "", orgSeq: 0, what: `${row.events} events have positions up to ${row.head}` };
}

import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type pg from "pg";
import { sql } from "../database/sql.ts";
import { chainHash, chainStart, checkpointJson, latestCheckpoint, parseCheckpoint } from "./chain.ts";
import type { Line } from "./line.ts";
import { readLog } from "./read.ts";
import { eventsFixture, openTransaction, type EventsFixture } from "./testing.ts";
import { emptyLog } from "./testing-empty.ts";
import { verifyLog, type Verification } from "./verify.ts";

let log: EventsFixture;
let admin: pg.Client;
let line: Line;
beforeAll(async () => {
  log = await eventsFixture();
  admin = await log.connect("superuser");
  line = log.line();
});
afterEach(() => emptyLog(log, admin));
afterAll(async () => {
  await admin.end();
  await log.close();
});

/** Ten sealed events of one organization in three streams, and two of another. */
async function tenEvents(): Promise<void> {
  const sealer = log.sealer({ line });
  for (let i = 0; i < 10; i++) await log.append({ subject: `s${i % 3}`, data: { i } });
  for (let i = 0; i < 2; i++) await log.append({ subject: "other" }, log.otherOrgId);
  await log.sealedCount(12);
  await sealer.stop();
}

function verify(orgId?: string): Promise<Verification> {
  return verifyLog({ database: log.database, keys: log.keys, blobs: log.blobs, pageSize: 3, ...(orgId === undefined ? {} : { orgId }) });
}

/** Hash and chain of the organization as somebody computes them who can write every table. */
async function recomputeChain(): Promise<void> {
  const { rows } = await admin.query<{ id: string; body: string }>("select id, body from events.log where org_id = $1 order by org_seq", [log.orgId]);
  let chain: Buffer = chainStart;
  for (const [i, row] of rows.entries()) {
    const hash = createHash("sha256").update(row.body).digest();
    chain = chainHash(chain, i + 1, hash);
    await admin.query("update events.log set hash = $2, org_seq = $3, chain_hash = $4 where id = $1", [row.id, hash, i + 1, chain]);
  }
  await admin.query("update events.chains set seq = $2, hash = $3 where org_id = $1", [log.orgId, rows.length, chain]);
}

const sequence = (n: number): string => `(select id from events.log where org_id = '${log.orgId}' and org_seq = ${n})`;

describe("a whole log", () => {
  it("verifies, before and after it is signed, for all and for one organization", async () => {
    await tenEvents();
    expect(await verify()).toEqual({ organizations: 2, events: 12, checkpoints: 0, unsealed: 0, unsigned: 12, problems: 0 });
    await log.checkpointer().run();
    expect(await verify()).toEqual({ organizations: 2, events: 12, checkpoints: 6, unsealed: 0, unsigned: 0, problems: 0 });
    expect(await verify(log.otherOrgId)).toMatchObject({ organizations: 1, events: 2, problems: 0 });
  });

  it("reports the tail that is not sealed yet", async () => {
    await tenEvents();
    const open = await openTransaction(log);
    await log.append();
    expect(await verify()).toMatchObject({ events: 12, unsealed: 1, problems: 0 });
    await open.commit();
  });

  it("is signed while the sealer runs, in the database and in the blobs", async () => {
    const sealer = log.sealer({ line, checkpointer: log.checkpointer() });
    await log.append();
    await expect.poll(() => log.blobs.files.size, { timeout: 10_000 }).toBe(2);
    const latest = parseCheckpoint(log.blobs.files.get(`${log.orgId} ${latestCheckpoint(log.orgId)}`) ?? new Uint8Array());
    expect(latest).toMatchObject({ orgId: log.orgId, seq: 1, position: 1 });
    await sealer.stop();
    expect(await verify()).toMatchObject({ checkpoints: 3, unsigned: 0, problems: 0 });
  });
});

describe("tampering is found:", () => {
  beforeEach(async () => {
    await tenEvents();
    await log.checkpointer().run();
  });

  it.each([
    ["a changed body", () => `update events.log set body = replace(body, '"i":4', '"i":5') where id = ${sequence(5)}`, "body-changed", 5],
    ["a body that is no JSON, with its hash", () => `update events.log set body = 'x', hash = sha256('x') where id = ${sequence(5)}`, "body-changed", 5],
    ["a changed body with its hash", () => `update events.log set body = replace(body, '"i":4', '"i":5'), hash = sha256(convert_to(replace(body, '"i":4', '"i":5'), 'UTF8')) where id = ${sequence(5)}`, "chain-broken", 5],
    ["a changed column beside the body", () => `update events.log set actor = 'usr_2' where id = ${sequence(5)}`, "column-changed", 5],
    ["a deleted event", () => `delete from events.log where id = ${sequence(4)}`, "event-missing", 5],
    ["two events that changed places", () => `update events.log set org_seq = case org_seq when 2 then 3 else 2 end, chain_hash = case org_seq when 2 then (select chain_hash from events.log where id = ${sequence(3)}) else (select chain_hash from events.log where id = ${sequence(2)}) end where org_id = '${log.orgId}' and org_seq in (2, 3)`, "chain-broken", 2],
    ["positions that changed places", () => `update events.log set position = case org_seq when 2 then 3 else 2 end where org_id = '${log.orgId}' and org_seq in (2, 3)`, "order-changed", 3],
    ["a tail cut off", () => `delete from events.log where org_id = '${log.orgId}' and org_seq > 7`, "rolled-back", 7],
    ["a version that is there twice", () => `insert into events.log (id, org_id, type, subject, stream, version, actor, operation, request_id, door, ai, time, body, hash) select gen_random_uuid(), org_id, type, subject, stream, version, actor, operation, request_id, door, ai, time, body, hash from events.log where id = ${sequence(2)}`, "version-broken", 2],
    ["a forged signature", () => `update events.checkpoints set seq = 9 where org_id = '${log.orgId}'`, "signature-invalid", 9],
    ["a chain head that was moved", () => `update events.chains set hash = sha256('x') where org_id = '${log.orgId}'`, "head-differs", 10],
  ])("%s", async (_what, statement, kind, orgSeq) => {
    await admin.query(statement());
    const found = await verify(log.orgId);
    expect(found).toMatchObject({ problems: 1, first: { kind, orgId: log.orgId, orgSeq } });
    expect(await verify()).toMatchObject({ problems: expect.any(Number), first: expect.objectContaining({ what: expect.any(String) }) });
  });

  it("a chain that was computed anew, by the checkpoint that it cannot have", async () => {
    await admin.query(`update events.log set body = replace(body, '"i":4', '"i":5') where id = ${sequence(5)}`);
    await recomputeChain();
    expect(await verify(log.orgId)).toMatchObject({ problems: 1, first: { kind: "checkpoint-differs", orgSeq: 10 } });
  });

  it("a chain that was computed anew and lost its checkpoints, by the blobs", async () => {
    await admin.query(`update events.log set body = replace(body, '"i":4', '"i":5') where id = ${sequence(5)}`);
    await recomputeChain();
    await admin.query("delete from events.checkpoints");
    expect(await verify(log.orgId)).toMatchObject({ problems: 1, first: { kind: "checkpoint-differs", orgSeq: 10 } });
  });

  it("an older database that was brought back, by the blobs", async () => {
    await admin.query(`delete from events.log where org_id = '${log.orgId}' and org_seq > 7`);
    await admin.query("delete from events.checkpoints");
    await admin.query("update events.streams s set version = l.version, last_hash = l.hash from (select distinct on (stream) stream, version, hash from events.log order by stream, version desc) l where l.stream = s.stream");
    await recomputeChain();
    expect(await verify(log.orgId)).toMatchObject({ problems: 1, first: { kind: "rolled-back", orgSeq: 7 } });
  });

  it("an event removed before it was sealed", async () => {
    const id = await log.append({ subject: "s0" });
    await admin.query("delete from events.log where id = $1", [id]);
    expect(await verify(log.orgId)).toMatchObject({ problems: 1, first: { kind: "version-broken", what: expect.stringContaining("s0") } });
  });

  it("an organization removed whole, by the gap in the positions", async () => {
    for (const table of ["log", "streams", "chains", "checkpoints"]) await admin.query(`delete from events.${table} where org_id = $1`, [log.orgId]);
    expect(await verify()).toMatchObject({ problems: 1, first: { kind: "event-missing" } });
  });

  it("a blob that is no checkpoint, and one of another organization", async () => {
    const name = `${log.orgId} ${latestCheckpoint(log.orgId)}`;
    const genuine = log.blobs.files.get(name) ?? new Uint8Array();
    const other = log.blobs.files.get(`${log.otherOrgId} ${latestCheckpoint(log.otherOrgId)}`) ?? new Uint8Array();
    for (const bytes of [Buffer.from("{}"), other]) {
      log.blobs.files.set(name, bytes);
      expect(await verify(log.orgId)).toMatchObject({ problems: 1, first: { kind: "signature-invalid" } });
    }
    const checkpoint = parseCheckpoint(genuine);
    if (checkpoint === undefined) throw new Error("the blob was no checkpoint");
    log.blobs.files.set(name, checkpointJson({ ...checkpoint, seq: 11 }));
    expect(await verify(log.orgId)).toMatchObject({ problems: 1, first: { kind: "signature-invalid", orgSeq: 11 } });
  });

  it("by the signer too, which signs no chain that does not continue what it signed", async () => {
    await admin.query(`update events.log set body = replace(body, '"i":4', '"i":5') where id = ${sequence(5)}`);
    await recomputeChain();
    const sealer = log.sealer({ line });
    await log.append({ subject: "s9" });
    await log.append({ subject: "more" }, log.otherOrgId);
    await log.sealedCount(14);
    await sealer.stop();
    const refused: string[] = [];
    await log.checkpointer((orgId) => refused.push(orgId)).run();
    expect(refused).toEqual([log.orgId]);
    const { rows } = await admin.query<{ org_id: string; seq: number }>("select org_id, seq from events.checkpoints order by seq");
    expect(rows).toEqual([{ org_id: log.otherOrgId, seq: 3 }, { org_id: log.orgId, seq: 10 }]);
  });
});

describe("reading the audit log", () => {
  beforeEach(tenEvents);
  const read = (query: Partial<Parameters<typeof readLog>[2]>, org = log.orgId): Promise<number[]> =>
    log.database.tenant(org, async (db) => (await readLog(db, log.orgId, { limit: 100, ...query })).map((event) => event.orgSeq));

  it("pages by the sequence, either way", async () => {
    expect(await read({ limit: 3 })).toEqual([10, 9, 8]);
    expect(await read({ limit: 3, cursor: 8 })).toEqual([7, 6, 5]);
    expect(await read({ limit: 3, order: "oldest" })).toEqual([1, 2, 3]);
    expect(await read({ limit: 3, order: "oldest", cursor: 8 })).toEqual([9, 10]);
  });

  it("filters by type, subject, actor and time", async () => {
    expect(await read({ subject: "s0" })).toEqual([10, 7, 4, 1]);
    expect(await read({ type: "tests.other" })).toEqual([]);
    expect(await read({ actor: "system", type: "tests.happened", limit: 1 })).toEqual([10]);
    const [middle] = await log.database.tenant(log.orgId, (db) => readLog(db, log.orgId, { limit: 1, cursor: 6 }));
    const from = middle?.time ?? "";
    const after = await read({ from });
    const before = await read({ to: from });
    expect([...after, ...before]).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(after).toContain(5);
  });

  it("shows another organization nothing", async () => {
    expect(await read({}, log.otherOrgId)).toEqual([]);
    const [event] = await log.database.tenant(log.otherOrgId, (db) => readLog(db, log.otherOrgId, { limit: 1 }));
    expect(event).toMatchObject({ orgId: log.otherOrgId, orgSeq: 2, door: "http", ai: false });
    const stored = await log.database.system((db) => db.one<{ hash: Buffer }>(sql`select hash from events.log where id = ${event?.id}`));
    expect(event?.hash).toBe(stored.hash.toString("hex"));
  });
});

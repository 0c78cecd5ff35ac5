import { sql } from "../database/sql.ts";
import type { Database } from "../database/database.ts";
import { timestamp, type Clock } from "../clock.ts";
import type { Signer, Verifier } from "../secrets/types.ts";
import { chainHash, chainStart, checkpointBytes, checkpointJson, dailyCheckpoint, latestCheckpoint, parseCheckpoint, type Checkpoint } from "./chain.ts";

/** Small named objects outside the database, as the blob store's pointers are. */
export interface CheckpointBlobs {
  read(orgId: string, name: string): Promise<Uint8Array | undefined>;
  write(orgId: string, name: string, bytes: Uint8Array): Promise<void>;
}

export interface CheckpointKeys {
  signer(): Pick<Signer, "keyId" | "sign">;
  verifier(keyId: string): Pick<Verifier, "verify"> | undefined;
}

export interface CheckpointerOptions {
  database: Database;
  clock: Clock;
  keys: CheckpointKeys;
  blobs: CheckpointBlobs;
  /** The chain does not continue what was signed before: somebody changed the log. No new checkpoint is signed for it. */
  refused?(orgId: string, seq: number): void;
}

/** Signs what is new, one checkpoint an organization. */
export interface Checkpointer {
  run(): Promise<void>;
}

export function signatureHolds(keys: CheckpointKeys, checkpoint: Checkpoint): boolean {
  return keys.verifier(checkpoint.keyId)?.verify(checkpointBytes(checkpoint), checkpoint.signature) ?? false;
}

interface Anchor {
  seq: number;
  hash: Buffer;
}

const pageSize = 5_000;

/**
 * Only ever extends what it signed itself: it walks from the last signed event to the newest, so that a chain that was
 * recomputed in the table never gets a signature.
 */
export function createCheckpointer(options: CheckpointerOptions): Checkpointer {
  const { database, clock, keys, blobs, refused } = options;
  const anchors = new Map<string, Anchor>();
  const broken = new Set<string>();
  const unwritten = new Map<string, Checkpoint>(); // signed and stored, not in the blobs yet

  async function anchorOf(orgId: string): Promise<Anchor> {
    const known = anchors.get(orgId);
    if (known !== undefined) return known;
    const stored = (await storedCheckpoints(database, orgId)).at(-1);
    const blob = await blobs.read(orgId, latestCheckpoint(orgId));
    const valid = [stored, blob === undefined ? undefined : parseCheckpoint(blob)]
      .filter((one): one is Checkpoint => one !== undefined && one.orgId === orgId && signatureHolds(keys, one));
    const newest = valid.sort((a, b) => b.seq - a.seq)[0];
    return newest === undefined ? { seq: 0, hash: chainStart } : { seq: newest.seq, hash: newest.chainHash };
  }

  /** The newest event reached from the anchor, or undefined when the chain does not lead there. */
  async function walk(orgId: string, from: Anchor, to: number): Promise<(Anchor & { position: number }) | undefined> {
    let { seq, hash } = from;
    let position = 0;
    while (seq < to) {
      const rows = await database.system((db) => db.many<{ org_seq: number; hash: Buffer; chain_hash: Buffer; position: number }>(sql`
        select org_seq, hash, chain_hash, position from events.log
        where org_id = ${orgId} and org_seq > ${seq} and org_seq <= ${to} order by org_seq limit ${pageSize}`));
      if (rows.length === 0) return undefined;
      for (const row of rows) {
        if (row.org_seq !== seq + 1) return undefined;
        seq = row.org_seq;
        hash = chainHash(hash, seq, row.hash);
        position = row.position;
        if (!hash.equals(row.chain_hash)) return undefined;
      }
    }
    return { seq, hash, position };
  }

  async function extend(orgId: string, seq: number): Promise<void> {
    const anchor = await anchorOf(orgId);
    if (anchor.seq === seq) return void anchors.set(orgId, anchor);
    // The anchor may be newer than the head that was read before it: another process signed in between.
    const to = seq < anchor.seq ? await headOf(orgId) : seq;
    if (to === anchor.seq) return void anchors.set(orgId, anchor);
    const reached = to < anchor.seq ? undefined : await walk(orgId, anchor, to);
    if (reached === undefined) {
      broken.add(orgId);
      refused?.(orgId, anchor.seq);
      return;
    }
    const time = timestamp(clock);
    const signer = keys.signer();
    const unsigned = { orgId, seq: to, position: reached.position, chainHash: reached.hash, time, keyId: signer.keyId };
    const checkpoint: Checkpoint = { ...unsigned, signature: Buffer.from(await signer.sign(checkpointBytes(unsigned))) };
    await store(database, checkpoint);
    anchors.set(orgId, { seq: to, hash: reached.hash });
    unwritten.set(orgId, checkpoint);
  }

  async function headOf(orgId: string): Promise<number> {
    return (await database.system((db) => db.one<{ seq: number }>(sql`select seq from events.chains where org_id = ${orgId}`))).seq;
  }

  async function copyOut(orgId: string, checkpoint: Checkpoint): Promise<void> {
    const bytes = checkpointJson(checkpoint);
    await blobs.write(orgId, latestCheckpoint(orgId), bytes);
    await blobs.write(orgId, dailyCheckpoint(orgId, checkpoint.time.slice(0, 10)), bytes);
    unwritten.delete(orgId);
  }

  return {
    async run() {
      const heads = await database.system((db) => db.many<{ org_id: string; seq: number }>(sql`select org_id, seq from events.chains`));
      const failures: unknown[] = [];
      // A chain that is gone was erased with its organization: nothing more is written for it.
      const there = new Set(heads.map((head) => head.org_id));
      for (const orgId of [...anchors.keys(), ...unwritten.keys()].filter((known) => !there.has(known))) {
        anchors.delete(orgId);
        unwritten.delete(orgId);
      }
      for (const head of heads) {
        if (broken.has(head.org_id) || anchors.get(head.org_id)?.seq === head.seq) continue;
        await extend(head.org_id, head.seq).catch((error: unknown) => failures.push(error));
      }
      for (const [orgId, checkpoint] of unwritten) {
        await copyOut(orgId, checkpoint).catch((error: unknown) => failures.push(error));
      }
      if (failures.length > 0) throw new AggregateError(failures, `${failures.length} checkpoints could not be written`);
    },
  };
}

async function store(database: Database, { orgId, seq, position, chainHash: hash, time, keyId, signature }: Checkpoint): Promise<void> {
  await database.system((db) => db.run(sql`
    insert into events.checkpoints (org_id, day, seq, position, chain_hash, time, key_id, signature)
    values (${orgId}, ${time.slice(0, 10)}, ${seq}, ${position}, ${hash}, ${time}, ${keyId}, ${signature})
    on conflict (org_id, day) do update set seq = excluded.seq, position = excluded.position, chain_hash = excluded.chain_hash,
      time = excluded.time, key_id = excluded.key_id, signature = excluded.signature
    where events.checkpoints.seq < excluded.seq`));
}

/** Of all days, oldest first. */
export async function storedCheckpoints(database: Database, orgId: string): Promise<Checkpoint[]> {
  const rows = await database.system((db) => db.many<{ seq: number; position: number; chain_hash: Buffer; time: Date; key_id: string; signature: Buffer }>(sql`
    select seq, position, chain_hash, time, key_id, signature from events.checkpoints where org_id = ${orgId} order by seq`));
  return rows.map((row) => ({
    orgId, seq: row.seq, position: row.position, chainHash: row.chain_hash, time: row.time.toISOString(), keyId: row.key_id, signature: row.signature,
  }));
}

import { sql } from "../database/sql.ts";
import type { Db } from "../database/database.ts";
import { chainHash, chainStart } from "./chain.ts";

/** A committed event without a position, below the horizon. */
export interface Unsealed {
  id: string;
  orgId: string;
  stream: string;
  version: number;
  hash: Buffer;
  /** xid8 as decimal text. */
  xid: string;
  /** The version before it has no position yet. */
  follows: boolean;
}

/**
 * The order of a batch: as it came (by xid), but an event whose predecessor in its stream has no position yet waits for
 * it. A transaction that took its xid early can commit version 2 under a lower xid than version 1, and version 1 can even
 * lie above the horizon or beyond the end of the batch: then version 2 is held back for a later batch.
 */
export function orderBatch(rows: readonly Unsealed[]): { placed: Unsealed[]; held: Unsealed[] } {
  const placed: Unsealed[] = [];
  const reached = new Map<string, number>();
  const waiting = new Map<string, Unsealed>();
  for (const row of rows) {
    const stream = `${row.orgId} ${row.stream}`;
    if (row.follows && reached.get(stream) !== row.version - 1) {
      waiting.set(`${row.version} ${stream}`, row);
      continue;
    }
    for (let next: Unsealed | undefined = row; next !== undefined; next = waiting.get(`${next.version + 1} ${stream}`)) {
      waiting.delete(`${next.version} ${stream}`);
      placed.push(next);
      reached.set(stream, next.version);
    }
  }
  return { placed, held: [...waiting.values()] };
}

/** Where the sealer stands: everything under `from` has its position. */
export interface SealState {
  from: string;
  limit: number;
}

export interface Sealed {
  sealed: number;
  /** The batch was full, so that there is more to take at once. */
  more: boolean;
}

interface Candidate extends Omit<Unsealed, "orgId"> {
  org_id: string;
  horizon: string;
  position: number;
  chain_seq: number | null;
  chain_hash: Buffer | null;
}

/**
 * Seals at most `limit` events with two statements. Below the horizon (`pg_snapshot_xmin`) nothing can appear any more,
 * so that the next batch starts where this one ended and never walks over index entries of sealed events.
 * The lateral join with a limit keeps the planner from hashing all unsealed events to look up a few predecessors.
 */
export async function sealBatch(db: Db, state: SealState, batchSize: number): Promise<Sealed> {
  const rows = await db.many<Candidate>(sql`
    with batch as (
      select l.id, l.org_id, l.stream, l.version, l.hash, l.xid from events.log l
      where l.position is null and l.xid >= ${state.from}::xid8 and l.xid < pg_snapshot_xmin(pg_current_snapshot())
      order by l.xid, l.id limit ${state.limit}
    )
    select b.id, b.org_id, b.stream, b.version, b.hash, b.xid::text as xid, s.horizon, s.position, c.seq as chain_seq, c.hash as chain_hash,
      coalesce(p.unsealed, false) as follows
    from (select pg_snapshot_xmin(pg_current_snapshot())::text as horizon, position from events.head) s
      left join batch b on true left join events.chains c on c.org_id = b.org_id
      left join lateral (
        select p.position is null as unsealed from events.log p
        where b.version > 1 and p.org_id = b.org_id and p.stream = b.stream and p.version = b.version - 1 limit 1
      ) p on true
    order by b.xid, b.id`);
  const [first] = rows;
  if (first === undefined) throw new Error("events.head has no row; the migration of the event log did not run");
  if (first.id === null) {
    state.from = first.horizon;
    return { sealed: 0, more: false };
  }
  const { placed, held } = orderBatch(rows.map((row) => ({ ...row, orgId: row.org_id })));
  if (placed.length > 0) await write(db, first.position, placed, rows);
  const full = rows.length === state.limit;
  state.from = held.reduce((lowest, row) => (BigInt(row.xid) < BigInt(lowest) ? row.xid : lowest), full ? (rows.at(-1) ?? first).xid : first.horizon);
  // A batch of nothing but successors needs to reach further, or it would stand still.
  state.limit = full && placed.length === 0 ? state.limit * 2 : batchSize;
  return { sealed: placed.length, more: full };
}

async function write(db: Db, position: number, placed: readonly Unsealed[], rows: readonly Candidate[]): Promise<void> {
  const chains = new Map<string, { seq: number; hash: Buffer }>();
  for (const row of rows) chains.set(row.org_id, { seq: row.chain_seq ?? 0, hash: row.chain_hash ?? chainStart });
  const links = placed.map((event) => {
    const last = chains.get(event.orgId) ?? { seq: 0, hash: chainStart };
    const link = { seq: last.seq + 1, hash: chainHash(last.hash, last.seq + 1, event.hash) };
    chains.set(event.orgId, link);
    return link;
  });
  const touched = [...new Set(placed.map((event) => event.orgId))];
  await db.run(sql`select events.seal(${position}, ${placed.map((event) => event.id)}, ${placed.map((event) => event.orgId)},
    ${links.map((link) => link.seq)}, ${links.map((link) => link.hash)}, ${touched},
    ${touched.map((org) => chains.get(org)?.seq)}, ${touched.map((org) => chains.get(org)?.hash)})`);
}

import { isDeepStrictEqual } from "node:util";
import { sql } from "../database/sql.ts";
import type { Db } from "../database/database.ts";
import { readStream } from "./read.ts";
import type { StoredEvent } from "./types.ts";

/** An event of a stream, sealed or not. */
export type StreamEvent = Omit<StoredEvent, "position">;

/** How the state of streams of one kind follows from their events. Pure; the state is JSON. */
export interface Fold<State> {
  /** Beginning of the names of its streams: `plan_`. */
  prefix: string;
  /** Raised when the shape of the state changes. */
  schema: number;
  start: State;
  apply(state: State, event: StreamEvent): State;
  /** Reads a snapshot of an older schema. Without it such a snapshot counts for nothing, and all events must still be there. */
  upgrade?(state: unknown, schema: number): State;
}

export interface Folded<State> {
  state: State;
  /** 0 where there is no such stream. Given as `expectedVersion` to what is appended on the strength of the state. */
  version: number;
}

interface StreamRow {
  version: number;
  snapshot: unknown;
  snapshot_schema: number | null;
  snapshot_version: number | null;
}

const pageSize = 500;

/**
 * The state of a stream from its snapshot and the events after it, in the transaction of `db`; blobs are never read.
 * Errors: an event that is needed is neither in the log nor in the snapshot.
 */
export async function foldStream<State>(db: Db, orgId: string, stream: string, fold: Fold<State>): Promise<Folded<State>> {
  // A partition may go between the two statements; its snapshot was written before, so the second try finds it.
  return (await attempt(db, orgId, stream, fold)) ?? (await attempt(db, orgId, stream, fold)) ?? incomplete(stream);
}

async function attempt<State>(db: Db, orgId: string, stream: string, fold: Fold<State>): Promise<Folded<State> | undefined> {
  const row = await db.maybe<StreamRow>(sql`
    select version, snapshot, snapshot_schema, snapshot_version from events.streams where org_id = ${orgId} and stream = ${stream}`);
  if (row === undefined) return { state: fold.start, version: 0 };
  let { state, version } = startOf(row, fold);
  for (;;) {
    const events = await readStream(db, orgId, stream, version, pageSize);
    for (const event of events) {
      if (event.version !== version + 1) return undefined;
      state = fold.apply(state, event);
      version = event.version;
    }
    if (events.length < pageSize) return version < row.version ? undefined : { state, version };
  }
}

function startOf<State>(row: StreamRow, fold: Fold<State>): Folded<State> {
  const { snapshot, snapshot_schema: schema, snapshot_version: version } = row;
  if (version === null || schema === null) return { state: fold.start, version: 0 };
  if (schema === fold.schema) return { state: snapshot as State, version };
  return fold.upgrade === undefined || schema > fold.schema ? { state: fold.start, version: 0 } : { state: fold.upgrade(snapshot, schema), version };
}

function incomplete(stream: string): never {
  throw new Error(`events of ${stream} are not in the log any more, and no snapshot of it can be read`);
}

/** Folds and keeps the state as it is now. Errors: as `foldStream`, and a state that JSON does not give back as it was. */
export async function snapshotStream<State>(db: Db, orgId: string, stream: string, fold: Fold<State>): Promise<number> {
  const { state, version } = await foldStream(db, orgId, stream, fold);
  const text = JSON.stringify(state);
  if (text === undefined || !isDeepStrictEqual(JSON.parse(text), state)) throw new Error(`the state of ${stream} cannot be kept as JSON`);
  await db.run(sql`update events.streams set snapshot = ${text}::jsonb, snapshot_schema = ${fold.schema}, snapshot_version = ${version}
    where org_id = ${orgId} and stream = ${stream} and coalesce(snapshot_version, 0) <= ${version}`);
  return version;
}

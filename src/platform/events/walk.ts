import { sql } from "../database/sql.ts";
import type { Database } from "../database/database.ts";
import { exportedParts, type Archive } from "./archive.ts";
import { parseCloudEvent } from "./cloud-event.ts";
import type { ExportedEvent } from "./export.ts";

/** A sealed event as it is stored, with what its neighbours in its stream say. */
export interface Row {
  id: string;
  position: number;
  org_seq: number;
  type: string;
  subject: string;
  stream: string;
  version: number;
  actor: string;
  operation: string;
  request_id: string;
  door: string;
  ai: boolean;
  time: Date;
  body: string;
  hash: Buffer;
  chain_hash: Buffer;
  /** How many events are this version of this stream. */
  same: number;
  /** Number of the event that is the version before. */
  before: number | null;
}

export interface Walk {
  /** Events from `after` on, which have no gap within; undefined once events left the log that were to be walked over. */
  next(after: number): Promise<Row[] | undefined>;
  /** The newest version of a stream that was walked over; only where the organization has files. */
  headOf(stream: string): { version: number; hash: Buffer } | undefined;
}

/** Goes through an organization's events by their numbers, in the log and, where they are retired, in the files. */
export function createWalk(options: { database: Database; archive: Archive; orgId: string; to: number; pageSize: number; archived: boolean }): Walk {
  const { database, archive, orgId, to, pageSize, archived } = options;
  const heads = new Map<string, { version: number; seq: number; hash: Buffer }>();
  let live: Row[] = [];

  /** By the walk itself: what came before in a stream can lie in a file, where no statement sees it. */
  function linked(row: Row): Row {
    if (!archived) return row;
    const before = heads.get(row.stream);
    heads.set(row.stream, { version: row.version, seq: row.org_seq, hash: row.hash });
    return { ...row, same: before !== undefined && before.version >= row.version ? 2 : 1, before: before?.version === row.version - 1 ? before.seq : null };
  }

  async function retired(seq: number, below: number): Promise<Row[]> {
    for (const part of await database.system((db) => exportedParts(db, orgId, { from: seq, to: seq }))) {
      const events = await archive.load(orgId, part);
      const first = events.findIndex((event) => event.seq === seq);
      if (first === -1) continue;
      const run = events.slice(first, first + pageSize).filter((event, i) => event.seq === seq + i && event.seq < below);
      return run.map(rowOf);
    }
    return [];
  }

  return {
    async next(after) {
      if (live.length === 0) live = await page(database, orgId, after, to, pageSize);
      const head = live[0]?.org_seq;
      if (head !== after + 1) {
        const run = await retired(after + 1, head ?? to + 1);
        if (run.length > 0) return archived ? run.map(linked) : undefined;
      }
      const end = live.findIndex((row, i) => row.org_seq !== (head ?? 0) + i);
      return live.splice(0, end === -1 ? live.length : end).map(linked);
    },
    headOf: (stream) => heads.get(stream),
  };
}

function rowOf({ seq, position, hash, chainHash, body }: ExportedEvent): Row {
  const { id, type, subject, stream, version, actor, operation, requestid, door, ai, time } = parseCloudEvent(body);
  return {
    id, position, org_seq: seq, type, subject, stream, version, actor, operation, request_id: requestid, door, ai, time: new Date(time),
    body, hash, chain_hash: chainHash, same: 1, before: null,
  };
}

async function page(database: Database, orgId: string, after: number, to: number, limit: number): Promise<Row[]> {
  return database.system((db) => db.many<Row>(sql`
    select l.id, l.position, l.org_seq, l.type, l.subject, l.stream, l.version, l.actor, l.operation, l.request_id, l.door, l.ai, l.time,
      l.body, l.hash, l.chain_hash,
      (select count(*) from events.log s where s.org_id = l.org_id and s.stream = l.stream and s.version = l.version) as same,
      (select max(b.org_seq) from events.log b where b.org_id = l.org_id and b.stream = l.stream and b.version = l.version - 1) as before
    from events.log l where l.org_id = ${orgId} and l.org_seq > ${after} and l.org_seq <= ${to} order by l.org_seq limit ${limit}`));
}

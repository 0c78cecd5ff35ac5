import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";

/** A connection to the embedded database as its superuser, for what only a test may look at. */
export async function superuser(dataDir: string): Promise<pg.Client> {
  const cluster = join(dataDir, "postgres/cluster");
  const password = (await readFile(join(cluster, "superuser-password"), "utf8")).trim();
  const client = new pg.Client({ host: join(cluster, "socket"), port: 5432, user: "postgres", password, database: "qinfra" });
  // The tests kill the server under it.
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

export interface LogCounts {
  events: number;
  unsealed: number;
  /** Numbers that are missing among the positions, the numbers within an organization and the versions within a stream. */
  gaps: number;
  /** Times that findings of a component set were announced. */
  matched: number;
  /** Component sets whose findings were announced twice for the same advisories. */
  matchedTwice: number;
  /** Sites whose creation was announced not exactly once. */
  sitesNotOnce: number;
  /** `software.recorded` events that are not handled yet. */
  unhandled: number;
  parked: number;
  /** Sets that an asset refers to and that have no result. */
  unmatched: number;
}

const siteCreated = "inventory.site-created";

/** What must hold of the log after a crash, counted in the database itself. */
export async function countLog(client: pg.Client): Promise<LogCounts> {
  const { rows } = await client.query<LogCounts>(`
    select
      (select count(*)::int from events.log) as events,
      (select count(*)::int from events.log where position is null) as unsealed,
      (select coalesce(max(position), 0) - count(position) from events.log)::int
        + (select coalesce(sum(missing), 0) from (select max(org_seq) - count(*) as missing from events.log where position is not null group by org_id) o)::int
        + (select coalesce(sum(missing), 0) from (select max(version) - count(*) as missing from events.log group by org_id, stream) s)::int as gaps,
      (select count(*)::int from events.log where type = 'vulnerabilities.matched') as matched,
      (select count(*)::int from (select from events.log where type = 'vulnerabilities.matched'
        group by org_id, subject, body::jsonb #>> '{data,advisories}' having count(*) > 1) m) as "matchedTwice",
      (select abs(count(*) - (select count(*) from inventory.sites))::int + (count(*) - count(distinct subject))::int
        from events.log where type = $1) as "sitesNotOnce",
      (select count(*)::int from events.log l where type = 'software.recorded'
        and not exists (select from events.handled h where h.event_id = l.id and h.subscription = 'vulnerabilities.match')) as unhandled,
      (select count(*)::int from events.dead_letters) as parked,
      (select count(distinct a.component_set_id)::int from inventory.assets a where component_set_id is not null
        and not exists (select from vulnerabilities.matches m where m.org_id = a.org_id and m.component_set_id = a.component_set_id)) as unmatched`, [siteCreated]);
  return rows[0] as LogCounts;
}

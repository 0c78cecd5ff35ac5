import type pg from "pg";
import type { EventsFixture } from "./testing.ts";

/** Leaves the log as the migrations made it, in a fifth of the time that another database takes. Nothing may be at work on it. */
export async function emptyLog(log: Pick<EventsFixture, "blobs">, superuser: Pick<pg.Client, "query">): Promise<void> {
  await superuser.query(`do $$ declare name text; begin
    for name in select format('events.%I', relname) from pg_class where relnamespace = 'events'::regnamespace and relkind = 'r' and relname ~ '^log_' and relname <> 'log_default' loop
      execute 'drop table ' || name;
    end loop;
    execute (select 'truncate ' || string_agg(format('events.%I', relname), ', ') || ' restart identity cascade'
      from pg_class where relnamespace = 'events'::regnamespace and relkind in ('r', 'p') and relname not in ('head', 'sealer'));
    update events.head set position = 0;
    update events.sealer set asleep = false;
  end $$`);
  log.blobs.files.clear();
}

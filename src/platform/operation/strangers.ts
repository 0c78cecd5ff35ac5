import type { Logger } from "pino";
import { anonymous } from "../actor.ts";
import type { Clock } from "../clock.ts";
import type { Database, Db } from "../database/database.ts";
import { sql } from "../database/sql.ts";
import { networkOf } from "../identity/sign-in-limits.ts";
import type { Ids } from "../ids.ts";
import { StrangersRefused, type strangerReasons } from "./access-events.ts";
import type { Authenticate, Credentials, Services } from "./services.ts";
import { DeclaredError, Unauthenticated } from "../errors.ts";
import type { StrangerGate } from "../identity/stranger-gate.ts";

/** What a refused caller showed. */
export type StrangerReason = (typeof strangerReasons)[number];

export interface Strangers {
  /** Counts a refused request of a caller that nobody knows. */
  note(address: string, reason: StrangerReason): void;
  /** Writes what was counted, and makes events of the minutes that are over. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

const minuteMs = 60_000;
const settledMs = 90_000;
const flushMs = 15_000;
/** Networks a minute and reason; what comes from others is counted together. */
const mostNetworks = 100;
const others = "other networks";

/**
 * Records refusals of unknown callers in the platform organization's log: one event for each network, reason and minute,
 * with a count. The counts of all servers meet in one table, of which each row becomes one event.
 */
export function createStrangers(ports: { database: Database; clock: Clock; ids: Ids; log: Logger; platformOrgId: string; appender: Services["appender"] }): Strangers {
  const { database, clock, ids, log, platformOrgId } = ports;
  let counts = new Map<string, Map<string, number>>();
  let running = Promise.resolve();
  const timer = setInterval(() => void flush(), flushMs);
  timer.unref();

  async function write(): Promise<void> {
    const taken = counts;
    counts = new Map();
    const rows = [...taken].flatMap(([key, networks]) => {
      const [minute, reason] = key.split(" ") as [string, string];
      return [...networks].map(([network, count]) => ({ minute, reason, network, count }));
    });
    await database.system(async (db) => {
      if (rows.length > 0) await add(db, rows);
      await append(db);
    });
  }

  /** Beyond the networks that a minute and reason may have, counts go to their common row. */
  async function add(db: Db, rows: readonly { minute: string; reason: string; network: string; count: number }[]): Promise<void> {
    await db.run(sql`
      insert into platform.strangers as s (minute, reason, network, count)
      select minute, reason, network, sum(count)::bigint from (
        select n.minute, n.reason, n.count, case when there.networks is null or there.networks < ${mostNetworks} or known.network is not null then n.network else ${others} end as network
        from unnest(${rows.map((row) => row.minute)}::timestamptz[], ${rows.map((row) => row.reason)}::text[], ${rows.map((row) => row.network)}::text[], ${rows.map((row) => row.count)}::bigint[])
          as n (minute, reason, network, count)
        left join (select minute, reason, count(*) as networks from platform.strangers group by minute, reason) there on there.minute = n.minute and there.reason = n.reason
        left join platform.strangers known on known.minute = n.minute and known.reason = n.reason and known.network = n.network
      ) one group by minute, reason, network
      on conflict (minute, reason, network) do update set count = s.count + excluded.count`);
  }

  async function append(db: Db): Promise<void> {
    const over = new Date(clock.now() - settledMs).toISOString();
    const done = await db.many<{ minute: Date; reason: StrangerReason; network: string; count: number }>(sql`
      delete from platform.strangers where minute < ${over} returning minute, reason, network, count`);
    const events = ports.appender(db, { orgId: platformOrgId, actor: { ...anonymous, kind: "system", orgId: platformOrgId, platform: true }, operation: "access.refuse", requestId: ids.uuid(), door: "system" });
    for (const { minute, reason, network, count } of done) {
      await events.append({
        type: StrangersRefused, subject: "strangers", data: { reason, minute: minute.toISOString(), count },
        private: { subjectId: `network ${network}`, body: { network } },
      });
    }
  }

  function flush(): Promise<void> {
    running = running.then(write).catch((error: unknown) => log.warn({ err: error }, "refusals of unknown callers were not recorded"));
    return running;
  }

  return {
    note(address, reason) {
      const minute = new Date(Math.floor(clock.now() / minuteMs) * minuteMs).toISOString();
      const key = `${minute} ${reason}`;
      let networks = counts.get(key);
      if (networks === undefined) counts.set(key, (networks = new Map()));
      const network = networkOf(address);
      const name = networks.has(network) || networks.size < mostNetworks ? network : others;
      networks.set(name, (networks.get(name) ?? 0) + 1);
    },
    flush,
    async stop() {
      clearInterval(timer);
      await flush();
    },
  };
}

export function reasonOf({ authorization, cookie }: Credentials): StrangerReason {
  if (authorization === undefined) return cookie === undefined ? "nothing" : "cookie";
  const token = authorization.replace(/^bearer +/i, "");
  if (token.startsWith("qis_")) return "session";
  return token.startsWith("qik_") ? "api-key" : "token";
}

/** Puts the gate before every look-up and signature check, and notes who was refused. */
export function guardAuthentication(authenticate: Authenticate, gate: StrangerGate, strangers: Pick<Strangers, "note">): Authenticate {
  return async (credentials, call) => {
    if (credentials.authorization === undefined && credentials.cookie === undefined) return authenticate(credentials, call);
    const leave = gate.enter(call.address);
    let wrong = false;
    try {
      const actor = await authenticate(credentials, call);
      wrong = actor.kind === "anonymous";
      return actor;
    } catch (error) {
      wrong = error instanceof DeclaredError && error.type.code === Unauthenticated.code;
      // A session without its proof may be used by a page of somebody else, so that its person did not ask.
      if (wrong || (error instanceof DeclaredError && error.type.status === 403)) strangers.note(call.address, reasonOf(credentials));
      throw error;
    } finally {
      leave(wrong);
    }
  };
}

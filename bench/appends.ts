import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { anonymous } from "../src/platform/actor.ts";
import { SiteCreated } from "../src/modules/inventory/events.ts";
import { systemClock } from "../src/platform/clock.ts";
import { appender } from "../src/platform/events/index.ts";
import { createPrivateBodies } from "../src/platform/events/private.ts";
import { createIds, toTypeId } from "../src/platform/ids.ts";
import { load, median, quantile } from "./process.ts";
import { statement, type Stage } from "./stage.ts";

export interface Appends {
  clients: number;
  rounds: number;
  /** A second. */
  plainInserts: number;
  appends: number;
  ratio: number;
  /** POST /api/v1/sites: authentication to commit, with one event each. A second. */
  sites: number;
  /** Milliseconds from the commit to the position in the log, as another connection sees it. */
  position: { p50: number; p95: number; samples: number };
  /** The same without load: one append at a time. */
  positionAtRest: { p50: number; p95: number; samples: number };
}

const clients = 32;
const ids = createIds(systemClock);

/** Appends of one organization by 32 clients against a plain insert of a row of that size by as many, in turns. */
export async function measureAppends(stage: Stage, options: { rounds: number; seconds: number }): Promise<Appends> {
  const database = stage.open(clients);
  const plain = new pg.Pool({ ...stage.superuser, max: clients });
  const watch = await watchPositions(stage);
  await statement(stage.superuser, "create table public.plain (id uuid primary key, org_id uuid not null, type text not null, subject text not null, body text not null, time timestamptz not null)");
  const origin = { orgId: stage.orgId, actor: "system", operation: "bench.append", requestId: ids.uuid(), door: "http", ai: anonymous.ai };
  const ports = { clock: systemClock, ids, privateBodies: createPrivateBodies(stage.secrets) };
  const body = JSON.stringify({ specversion: "1.0", data: {}, filler: "x".repeat(400) });

  async function append(): Promise<string> {
    const subject = toTypeId("sit", ids.uuid());
    return database.tenant(stage.orgId, (db) => appender(db, { ...origin, ...ports }).append({ type: SiteCreated, subject, data: {} }));
  }
  async function insert(): Promise<void> {
    await plain.query({
      name: "plain", text: "insert into public.plain (id, org_id, type, subject, body, time) values ($1, $2, $3, $4, $5, now())",
      values: [ids.uuid(), stage.orgId, "inventory.site-created", "sit_x", body],
    });
  }

  try {
    const rates: { plain: number[]; append: number[]; sites: number[] } = { plain: [], append: [], sites: [] };
    const sites = { address: stage.client.address, token: stage.client.token as string, method: "POST", paths: ["/api/v1/sites"], connections: clients, warmupSeconds: 1, seconds: options.seconds } as const;
    for (let round = 0; round <= options.rounds; round++) {
      const plainRate = await perSecond(options.seconds, insert);
      const appendRate = await perSecond(options.seconds, async () => watch.committed(await append()));
      const siteRate = (await load({ ...sites, namePrefix: `r${round}` })).requestsPerSecond;
      if (round === 0) {
        watch.forget();
        continue;
      }
      rates.plain.push(plainRate);
      rates.append.push(appendRate);
      rates.sites.push(siteRate);
    }
    const busy = await watch.delays();
    for (let i = 0; i < 50; i++) {
      watch.committed(await append(), true);
      await delay(20);
    }
    const rest = await watch.delays();
    const [appends, plainInserts] = [median(rates.append), median(rates.plain)];
    return {
      clients, rounds: options.rounds, plainInserts, appends, ratio: appends / plainInserts, sites: median(rates.sites),
      position: summary(busy), positionAtRest: summary(rest),
    };
  } finally {
    await watch.close();
    await Promise.all([database.close(), plain.end()]);
  }
}

function summary(delays: readonly number[]): Appends["position"] {
  return { p50: quantile(delays, 0.5), p95: quantile(delays, 0.95), samples: delays.length };
}

async function perSecond(seconds: number, work: () => Promise<unknown>): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let done = 0;
  await Promise.all(Array.from({ length: clients }, async () => {
    while (performance.now() < end) {
      await work();
      done += 1;
    }
  }));
  return done / seconds;
}

const sampleEvery = 25;
const pollMs = 2;

/** Looks on a connection of its own, every 2 ms, which of the sampled events have a position by now. */
async function watchPositions(stage: Stage) {
  const client = new pg.Client(stage.superuser);
  await client.connect();
  const open = new Map<string, number>();
  let found: number[] = [];
  let count = 0;
  let ended = false;
  async function look(): Promise<void> {
    while (!ended) {
      if (open.size > 0) {
        const { rows } = await client.query<{ id: string }>({ name: "look", text: "select id from events.log where id = any($1) and position is not null", values: [[...open.keys()]] });
        const now = performance.now();
        for (const { id } of rows) {
          found.push(now - (open.get(id) as number));
          open.delete(id);
        }
      }
      await delay(pollMs);
    }
  }
  const looking = look();
  return {
    committed(id: string, always = false): void {
      count += 1;
      if (always || count % sampleEvery === 0) open.set(id, performance.now());
    },
    forget(): void {
      open.clear();
      found = [];
    },
    /** Waits until every sampled event has its position. */
    async delays(): Promise<number[]> {
      const deadline = performance.now() + 60_000;
      while (open.size > 0) {
        if (performance.now() > deadline) throw new Error(`${open.size} events had no position after a minute`);
        await delay(pollMs);
      }
      return found.splice(0);
    },
    async close(): Promise<void> {
      ended = true;
      await looking;
      await client.end();
    },
  };
}

import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { systemClock } from "../../src/platform/clock.ts";
import type { CloudEvent } from "../../src/platform/events/cloud-event.ts";
import { openNatsBus } from "../../src/platform/events/bus/nats/index.ts";
import type { EventBus } from "../../src/platform/events/bus/types.ts";
import { approvalEnded, approve, askToDelete, makeDeciders, type Deciders } from "./support/approvals.ts";
import { openClient, type Client } from "./support/client.ts";
import { startCountedLoad, type CountedLoad } from "./support/counted-load.ts";
import { startNats, type NatsServer } from "./support/nats.ts";
import { nextVersion } from "./support/next-version.ts";
import { describeWith } from "./support/peer.ts";
import { dataFolder, ensureBuilt, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { startPostgres15, type Postgres15 } from "./support/postgres15.ts";
import { freePort, temporaryFolder } from "./support/process.ts";
import { steppedClock, type SteppedClock } from "./support/stepped-clock.ts";
import { startToxiproxy, type FaultProxy, type Toxiproxy } from "./support/toxiproxy.ts";
import { expectConsumed, expectWhole } from "./support/whole-log.ts";

/** How long what is stopped stays stopped; QINFRA_FAULT_SECONDS=60 for the full minute. */
const faultMs = 1_000 * Number(process.env["QINFRA_FAULT_SECONDS"] ?? 10);
const hourSeconds = 3_600;
const log = pino({ level: "silent" });

describeWith(["postgresql", "toxiproxy", "nats-server", "faketime"], "two servers under load, with what is around them at fault", () => {
  let toxiproxy: Toxiproxy;
  let postgres: Postgres15;
  let broker: NatsServer;
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let bus: EventBus;
  let tokens: Deciders;
  const heard = new Map<string, { event: CloudEvent; times: number }>();
  const folders: Awaited<ReturnType<typeof dataFolder>>[] = [];
  const proxies: FaultProxy[] = [];
  const clocks: SteppedClock[] = [];
  const servers: RunningPlatform[] = [];
  const clients: Client[] = [];
  let begin: (index: number) => Promise<RunningPlatform>;

  beforeAll(async () => {
    [toxiproxy, postgres, broker, scratch] = await Promise.all([startToxiproxy(), startPostgres15(), startNats(), temporaryFolder("faults")]);
    await ensureBuilt();
    // A copy, so that nothing that is built meanwhile changes the servers.
    const version = await nextVersion(join(scratch.path, "version"), {});
    const ports = [await freePort(), await freePort()];
    for (const index of [0, 1]) {
      folders.push(await dataFolder(`faults-${index}`));
      proxies.push(await toxiproxy.before(`database-${index}`, postgres.port));
      clocks.push(await steppedClock(scratch.path, `server-${index}`));
    }
    begin = (index) => startPlatform(folders[index]?.path ?? "", {
      DATABASE_URL: postgres.url.replace(String(postgres.port), String(proxies[index]?.port)), EVENTS_URL: broker.url, DATABASE_POOL: "8", RATE_LIMIT: "100000",
      SECRETS_URL: `file:${join(scratch.path, "keys")}`, BLOBS_URL: `file:${join(scratch.path, "blobs")}`, PORT: String(ports[index]), PUBLIC_URL: "http://127.0.0.1", ...clocks[index]?.env,
    }, { version });
    for (const index of [0, 1]) servers.push(await begin(index));
    tokens = await makeDeciders(servers[0]?.address ?? "", servers[0]?.oneTimePassword ?? "");
    for (const port of ports) clients.push(openClient(`http://127.0.0.1:${port}`, tokens.asking));
    bus = await openNatsBus({ url: broker.url, log, clock: systemClock });
    await bus.consume({
      topic: "audit.events", group: "counting", from: "start", atOnce: 50,
      async handle({ event }) {
        heard.set(event.id, { event, times: (heard.get(event.id)?.times ?? 0) + 1 });
      },
    });
  }, 300_000);

  afterAll(async () => {
    await bus?.close();
    for (const client of clients) await client.close();
    for (const server of servers) await server.stop();
    await Promise.all([broker?.stop(), toxiproxy?.stop(), postgres?.stop()]);
    for (const folder of folders) await folder.remove();
    await scratch?.remove();
  }, 120_000);

  async function database(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: postgres.url.replace(/postgres$/, databaseName) });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }
  const databaseName = "postgres";

  /** Process id of the backend that holds the sealer's lock. */
  async function sealing(): Promise<number | undefined> {
    const client = await database();
    try {
      const { rows } = await client.query<{ pid: number }>("select pid from pg_locks where locktype = 'advisory' and granted and (classid::bigint << 32 | objid::bigint) = hashtextextended('events.sealer', 0)");
      return rows[0]?.pid;
    } finally {
      await client.end();
    }
  }

  async function untilSealed(): Promise<void> {
    const client = await database();
    try {
      const { rows: [last] } = await client.query<{ id: string }>("select id from events.log order by id desc limit 1");
      await vi.waitUntil(async () => (await client.query("select from events.log where id = $1 and position is not null", [last?.id])).rowCount === 1, { timeout: 120_000, interval: 50 });
    } finally {
      await client.end();
    }
  }

  /** Killed, and started anew once `meanwhile` is over. */
  async function killed(index: number, meanwhile: () => Promise<void>): Promise<void> {
    await servers[index]?.stop("SIGKILL");
    await meanwhile();
    servers[index] = await begin(index);
  }

  async function stepped(seconds: readonly number[], load: CountedLoad): Promise<void> {
    for (const [index, by] of seconds.entries()) await clocks[index]?.step(by);
    // As clients see it, from both servers.
    await vi.waitUntil(async () => {
      for (const [index, client] of clients.entries()) {
        const { headers } = await fetch(`${client.address}/healthz`);
        if (Math.abs(Date.parse(headers.get("date") ?? "") - Date.now() - (seconds[index] ?? 0) * 1_000) > 30_000) return false;
      }
      return true;
    }, { timeout: 60_000, interval: 200 });
    await load.more(60);
    await decided(`clock.${seconds.join(".")}`);
  }

  /** What waits for people: asked for at one server, approved at the other, run by either. */
  async function decided(version: string): Promise<void> {
    const [one, other] = clients as [Client, Client];
    const [agent, deciding] = [openClient(one.address, tokens.agent), openClient(other.address, tokens.deciding)];
    const asked = await askToDelete({ asking: one, agent }, version);
    await approve(deciding, asked);
    expect(await vi.waitUntil(() => approvalEnded(other, asked), { timeout: 120_000, interval: 100 })).toMatchObject({ state: "executed", output: { deleted: asked.image } });
    await Promise.all([agent.close(), deciding.close()]);
  }

  /** Each comes back when everything is as it was. */
  const faults: readonly { title: string; inflict(load: CountedLoad): Promise<void> }[] = [
    {
      title: `the broker killed for ${faultMs / 1_000} s`,
      async inflict() {
        await broker.kill();
        await delay(faultMs);
        await broker.start();
      },
    },
    {
      title: `PostgreSQL killed for ${faultMs / 1_000} s`,
      async inflict() {
        await postgres.kill();
        await delay(faultMs);
        await postgres.start();
      },
    },
    {
      title: "the server that seals killed, and the other one taking over",
      async inflict(load) {
        await killed(0, async () => {
          await load.more(20);
          await untilSealed();
        });
        // Now it is the other one.
        const before = await sealing();
        await killed(1, async () => {
          await vi.waitUntil(async () => ![undefined, before].includes(await sealing()), { timeout: 120_000, interval: 50 });
          await load.more(20);
          await untilSealed();
        });
      },
    },
    {
      title: "300 ms ± 100 ms between the servers and the database",
      async inflict() {
        await Promise.all(proxies.map((proxy) => proxy.slow(300, 100)));
        await delay(faultMs);
        await Promise.all(proxies.map((proxy) => proxy.mend()));
      },
    },
    {
      title: "each connection to the database reset after half a second",
      async inflict() {
        await Promise.all(proxies.map((proxy) => proxy.reset(500)));
        await delay(faultMs);
        await Promise.all(proxies.map((proxy) => proxy.mend()));
      },
    },
    {
      title: "the connections to the database cut, of one server and then of the other",
      async inflict(load) {
        for (const proxy of proxies) {
          await proxy.stop();
          await delay(faultMs / 2);
          await load.more(10);
          await proxy.mend();
        }
      },
    },
    {
      title: "the way to the database silent, for both servers",
      async inflict() {
        await Promise.all(proxies.map((proxy) => proxy.hang()));
        await delay(faultMs);
        await Promise.all(proxies.map((proxy) => proxy.mend()));
      },
    },
    {
      title: "the clocks of the servers stepped an hour forward, back to an hour behind, and apart",
      async inflict(load) {
        for (const step of [[hourSeconds, hourSeconds], [-hourSeconds, -hourSeconds], [hourSeconds, -hourSeconds], [0, 0]]) await stepped(step, load);
      },
    },
  ];

  it.each(faults)("given $title, then each acknowledged change is in the log once and was consumed, the chain verifies, and projections equal a rebuild", async ({ title, inflict }) => {
    const began = performance.now();
    const load = startCountedLoad(clients, title.replaceAll(/[^a-z0-9]+/gi, "-").slice(0, 40));
    try {
      await load.more(40);
      await inflict(load);
      await load.more(40);
    } finally {
      await load.stop();
    }
    expect(servers.map((server) => server.ended())).toEqual([false, false]);
    const client = await database();
    try {
      const consumed = await expectConsumed(client, load, heard);
      expect(consumed.events).toBeGreaterThan(load.acknowledged.size);
      await expectWhole(clients[0] as Client, client);
      process.stdout.write(`faults: ${title}: ${JSON.stringify({ acknowledged: load.acknowledged.size, refused: load.refused, ...consumed, seconds: Math.round((performance.now() - began) / 1_000) })}\n`);
    } finally {
      await client.end();
    }
  }, 600_000);
});

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import { openDatabase, type Database } from "../database/database.ts";
import { eventsFixture, silent, until, type EventsFixture } from "../events/testing.ts";
import { openLine, systemTimer } from "../events/index.ts";
import { createIds } from "../ids.ts";
import { sql } from "../database/sql.ts";
import { startDispatch } from "./dispatch.ts";
import { createDbosEngine } from "./engines/dbos/engine.ts";
import { createFence } from "./fence.ts";
import { createStepRunner, type StepRunnerPorts } from "./run-step.ts";
import { workflowsIn } from "./runs.ts";
import { stepHandler } from "./steps.ts";
import { effectsTable, testSteps } from "./testing/steps.ts";
import { plain, tell, testWorkflows } from "./testing/workflows.ts";

/** A line to the database that can fall silent: nothing comes through, and nobody is told. */
interface SilentLine {
  port: number;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

async function openSilentLine({ host = "localhost", port = 5432 }: pg.ClientConfig): Promise<SilentLine> {
  const sockets = new Set<Socket>();
  let silenced = false;
  const server = createServer((from) => {
    const to = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    for (const [socket, other] of [[from, to], [to, from]] as const) {
      sockets.add(socket);
      socket.on("data", (chunk) => other.write(chunk)).on("error", () => other.destroy()).on("close", () => (sockets.delete(socket), other.destroy()));
      if (silenced) socket.pause();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      silenced = true;
      for (const socket of sockets) socket.pause();
    },
    mend() {
      silenced = false;
      for (const socket of sockets) socket.resume();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

let fixture: EventsFixture;
beforeAll(async () => {
  fixture = await eventsFixture();
  const superuser = await fixture.connect("superuser");
  await superuser.query(effectsTable);
  await superuser.end();
});
afterAll(() => fixture.close());

it("given a server whose line to the database falls silent, then it ends what it does outside before another one takes it over, and knows it when it is back", async () => {
  const ids = createIds(systemClock);
  const workflows = new Map(testWorkflows.map((one) => [one.id, one]));
  const did: string[] = [];
  const takenOver = Promise.withResolvers<void>();
  const line = await openSilentLine(fixture.config("qinfra_system"));
  const through = (config: pg.ClientConfig): pg.ClientConfig => ({ ...config, host: "127.0.0.1", port: line.port });

  /** `tell` takes until its signal aborts on the first server, and no time on the second. */
  async function server(name: string, database: Database, connection: pg.ClientConfig): Promise<() => Promise<void>> {
    const goneAfterSeconds = 2;
    const fence = createFence(systemTimer, goneAfterSeconds);
    const executor = ids.uuid();
    const telling = stepHandler(tell, {
      async prepare({ signal, idempotencyKey }) {
        did.push(`${name} began ${idempotencyKey.split(":").at(-1)}`);
        if (name !== "first") return;
        await once(signal, "abort");
        did.push(`${name} ended`);
        signal.throwIfAborted();
      },
      handle: async () => null,
    });
    const runStep = createStepRunner({
      database, clock: systemClock, timer: systemTimer, random: Math.random, ids, log: silent, workflows, fence, instance: 0, quotas: () => undefined as never,
      steps: [...testSteps({ tell: async () => undefined }).filter(({ ref }) => ref.id !== tell.id), telling], appenderFor: (db, call) => fixture.on(db, call.orgId),
    } as Partial<StepRunnerPorts> as StepRunnerPorts);
    const engine = await createDbosEngine({ entry: new URL("testing/thread.ts", import.meta.url), connection, executor, runStep, log: silent });
    const own = openLine(database, { timer: systemTimer, log: silent });
    const dispatch = startDispatch({
      database, line: own, timer: systemTimer, clock: systemClock, log: silent, engine, executor, workflows, ids, goneAfterSeconds, fence,
      onTakenOver: () => takenOver.resolve(), appenderFor: (db, org) => fixture.on(db, org),
    });
    return async () => {
      await dispatch.stop();
      await engine.close();
      await own.close();
    };
  }

  const cutOff = openDatabase({ app: through(fixture.config("qinfra_app")), system: through(fixture.config("qinfra_system")), direct: through(fixture.config("qinfra_system")) }, fixture.options);
  const stopFirst = await server("first", cutOff, through(fixture.config("qinfra_system")));
  const run = await fixture.database.tenant(fixture.orgId, (db) => workflowsIn(db, { orgId: fixture.orgId, starter: { kind: "system", ai: false } }, { clock: systemClock, ids, events: fixture.on(db), workflows }).start(plain, { word: "w" }));
  await until(() => did.length === 1);
  const stopSecond = await server("second", fixture.database, fixture.config("qinfra_system"));
  line.cut();
  const state = async (): Promise<string> => (await fixture.database.tenant(fixture.orgId, (db) => db.one<{ state: string }>(sql`select state from platform.workflow_runs where id = ${run}`))).state;
  await until(async () => (await state()) === "succeeded");
  line.mend();
  await takenOver.promise;
  expect(did).toEqual(["first began 2", "first ended", "second began 2"]);

  await stopFirst();
  await stopSecond();
  await cutOff.close();
  await line.close();
  // A statement that was under way when the line fell silent is given up after 35 s.
}, 90_000);

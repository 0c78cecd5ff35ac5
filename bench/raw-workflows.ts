import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { DBOS } from "@dbos-inc/dbos-sdk";
import pg from "pg";

/** What the thread is started with. */
export interface RawWorkflows {
  connection: pg.ClientConfig;
  poolSize: number;
}

/** DBOS as one would write it by hand: a workflow of two steps, each a row in a transaction of its own. Asked for a number of runs, it answers when they have ended. */
async function serve({ connection, poolSize }: RawWorkflows): Promise<void> {
  const engine = new pg.Pool({ ...connection, max: poolSize });
  const rows = new pg.Pool({ ...connection, max: poolSize });
  const write = (word: string): Promise<number> => DBOS.runStep(async () => (await rows.query("insert into public.effects (word) values ($1)", [word])).rowCount ?? 0, { name: "write" });
  const twoSteps = DBOS.registerWorkflow(async (word: string) => [await write(`${word} 1`), await write(`${word} 2`)], { name: "two-steps" });
  DBOS.setConfig({
    name: "raw", systemDatabasePool: engine, systemDatabaseSchemaName: "dbos", executorID: "raw", applicationVersion: "raw", runMigrations: false,
    systemDatabaseUrl: "postgres://the-pool:decides@localhost:5432/raw",
    logger: { info: () => undefined, debug: () => undefined, warn: () => undefined, error: (entry) => process.stderr.write(`${String(entry)}\n`) },
  });
  await DBOS.launch();
  const port = parentPort as MessagePort;
  port.on("message", async (count: number) => {
    const handles = await Promise.all(Array.from({ length: count }, (_, i) => DBOS.startWorkflow(twoSteps)(`w${i}`)));
    await Promise.all(handles.map((handle) => handle.getResult()));
    port.postMessage({ ended: count });
  });
  port.postMessage({ ended: 0 });
}

await serve(workerData as RawWorkflows);

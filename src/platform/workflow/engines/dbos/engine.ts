import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type pg from "pg";
import type { EnginePorts, Over, WorkflowEngine } from "../../engine.ts";
import type { StepCall } from "../../execution.ts";
import { openRpc } from "./rpc.ts";
import type { DbosThreadData } from "./thread.ts";

export interface DbosOptions extends EnginePorts {
  /** The program of the thread: it calls `serveDbos` with all workflows. */
  entry: URL;
  /** Past a pooler, as the system role. */
  connection: pg.ClientConfig;
  poolSize?: number;
}

/** Workflows on the platform's own PostgreSQL, by DBOS (https://docs.dbos.dev), in a thread of this process. */
export async function createDbosEngine({ entry, connection, executor, poolSize = 10, runStep, log }: DbosOptions): Promise<WorkflowEngine> {
  const stopping = new AbortController();
  const worker = new Worker(entry, { workerData: { connection: { ...connection, ...ssl(connection) }, executor, poolSize } satisfies DbosThreadData });
  let began = (): void => undefined;
  const ready = new Promise<void>((resolve) => (began = resolve));
  const rpc = openRpc(worker, {
    ready: async () => began(),
    step: (call: StepCall) => runStep(call, stopping.signal),
    async log({ level, message }: { level: "warn" | "error"; message: string }) {
      log[level]({ executor }, `workflow engine: ${message}`);
    },
  });
  let gone: string | undefined;
  const ended = Promise.withResolvers<string>();
  worker.on("error", (error) => {
    gone = error.message;
    log.error({ err: error }, "the thread that runs workflows has ended");
  });
  worker.once("exit", () => {
    gone ??= "its thread has ended";
    rpc.end(new Error("the thread that runs workflows has ended"));
    if (!stopping.signal.aborted) ended.resolve(`the thread that runs workflows has ended: ${gone}`);
  });
  await Promise.race([ready, once(worker, "exit").then(() => Promise.reject(new Error(`the thread that runs workflows did not start: ${gone ?? "it ended"}`)))]);
  return {
    name: "dbos",
    start: (run) => rpc.call("start", run),
    deliver: (key, message) => rpc.call("deliver", { key, message }),
    takeOver: (dead) => rpc.call("takeOver", dead),
    forget: (keys) => rpc.call("forget", keys),
    over: async (keys) => new Map(await rpc.call<[string, Over][]>("over", keys)),
    health: async () => (gone === undefined ? "ok" : `the thread that runs workflows: ${gone}`),
    ended: ended.promise,
    renewCertificate() {
      void rpc.call("renewCertificate", ssl(connection)).catch((error: unknown) => log.warn({ err: error }, "the workflow engine keeps to the certificate before"));
    },
    async close() {
      stopping.abort();
      gone = "closed";
      rpc.end(new Error("this server stops"));
      // What runs there is safe in the database, and goes on elsewhere or at the next start.
      await worker.terminate();
    },
  };
}

/** As it is now, to be sent to the thread: pg hides the key in what it is given, and a copy would lack it. */
function ssl(connection: pg.ClientConfig): Pick<pg.ClientConfig, "ssl"> {
  if (typeof connection.ssl !== "object") return {};
  const { key } = connection.ssl;
  return { ssl: { ...connection.ssl, ...(key === undefined ? {} : { key }) } };
}

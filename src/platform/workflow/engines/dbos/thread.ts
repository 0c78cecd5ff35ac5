import { parentPort, workerData } from "node:worker_threads";
import { DBOS } from "@dbos-inc/dbos-sdk";
import pg from "pg";
import type { Workflow } from "../../declare.ts";
import type { Handed, Over } from "../../engine.ts";
import type { Execution, Message, StepOutcome } from "../../execution.ts";
import { EngineStopped, runWorkflow } from "../../frame.ts";
import { openRpc } from "./rpc.ts";
import { dbosSchema } from "./schema.ts";

/** What the thread is started with: to run workflows, or to bring the engine's tables up to date and end. */
export type DbosThreadData = { connection: pg.ClientConfig; executor: string; poolSize: number } | { migrate: string; schema: string; role: string };

/** Constant: a process of another version would never go on with what this one began. Changed code goes through `flow.patch`. */
const applicationVersion = "qinfra";
/**
 * What the engine writes need not be on the disk before it goes on: the platform's own records are, each time, and the
 * log of PostgreSQL keeps the order, so that a crash loses nothing of the engine's that came before one of these. A
 * step that the engine forgot is asked for again, and answered from the record.
 */
async function relax(client: pg.ClientBase): Promise<void> {
  await client.query("set synchronous_commit = off");
}

const inbox = "inbox";
const listed = 500;
const open = ["PENDING", "ENQUEUED", "DELAYED"];

/**
 * The thread that runs workflows on DBOS. DBOS is one to a process, or to a thread as here, and so is the sandbox:
 * workflow code runs where nothing but descriptors is loaded, its steps on the main thread, where the platform is.
 */
export async function serveDbos(workflows: readonly Workflow[]): Promise<void> {
  if (parentPort === null) throw new Error("serveDbos runs in a thread that createDbosEngine started");
  const data = workerData as DbosThreadData;
  if ("migrate" in data) return DBOS.migrate(data.migrate, { schemaName: data.schema, applicationRole: data.role });
  const { connection, executor, poolSize } = data;
  const pool = new pg.Pool({ ...connection, max: poolSize, application_name: "qinfra workflows", keepAlive: true, onConnect: relax });
  pool.on("error", (error) => log("warn", error));
  /** The main thread stops, and this one with it: an error would be the workflow's. */
  const stopped = new Promise<never>(() => undefined);
  const rpc = openRpc(parentPort, {
    async start(run: Handed) {
      const registered = functions.get(run.workflow);
      if (registered === undefined) throw new Error(`this server knows no workflow ${run.workflow}`);
      await DBOS.startWorkflow(registered, { workflowID: run.key })(run);
    },
    async deliver({ key, message }: { key: string; message: Message }) {
      const status = await DBOS.getWorkflowStatus(key);
      if (status === null || !open.includes(status.status)) return;
      await DBOS.send(key, message, inbox, message.id);
    },
    async takeOver(dead: string) {
      let count = 0;
      for (;;) {
        const left = await DBOS.listWorkflows({ executorId: dead, status: "PENDING", limit: listed, loadInput: false });
        if (left.length === 0) return count;
        await DBOS.resumeWorkflows(left.map(({ workflowID }) => workflowID));
        count += left.length;
      }
    },
    async forget(keys: string[]) {
      if (keys.length === 0) return;
      await DBOS.cancelWorkflows(keys);
      await DBOS.deleteWorkflows(keys);
    },
    async over(keys: string[]) {
      const found: [string, Over][] = [];
      if (keys.length === 0) return found;
      const rows = new Map((await DBOS.listWorkflows({ workflowIDs: keys, loadInput: false, loadOutput: false })).map(({ workflowID, status }) => [workflowID, status]));
      for (const key of keys) {
        const status = rows.get(key);
        if (status === undefined) found.push([key, { code: "workflow-lost", message: "is not known to DBOS any more: its records were deleted or lost" }]);
        else if (!open.includes(status)) found.push([key, status === "CANCELLED" ? { code: "workflow-terminated", message: "was cancelled in DBOS, past the platform" } : { code: "workflow-ended", message: `is over at DBOS (${status}), without its last step` }]);
      }
      return found;
    },
    async renewCertificate({ ssl }: Pick<pg.ClientConfig, "ssl">) {
      // The pool makes each new connection of this object.
      if (typeof connection.ssl === "object" && typeof ssl === "object") Object.assign(connection.ssl, ssl);
    },
    async close() {
      await DBOS.shutdown({ workflowCompletionTimeoutMS: 0 });
      await pool.end();
    },
  });

  function log(level: string, entry: unknown): void {
    void rpc.call("log", { level, message: entry instanceof Error ? entry.message : String(entry) }).catch(() => undefined);
  }

  function executionOf(): Execution {
    return {
      // Past DBOS, whose record of a step would be a second one: the platform's own answers what was done before.
      call: (call) => rpc.call<StepOutcome>("step", call).catch(() => stopped),
      receive: async (deadline) => (await orStopped(DBOS.recv<Message>(inbox, { deadlineEpochMS: deadline }))) ?? undefined,
      // Messages are all that DBOS numbers, so that it has no say in it: the platform's record of the step that asks decides.
      patched: () => Promise.resolve(true),
    };
  }

  /** What fails here is the engine, which was told to cancel or to forget the run: nothing that the workflow did, or has to undo. */
  async function orStopped<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw new EngineStopped(error instanceof Error ? error.message : String(error));
    }
  }

  const functions = new Map(workflows.map((definition) => [definition.id, DBOS.registerWorkflow(async (run: Handed) => {
    const ending = await runWorkflow(definition, executionOf(), run);
    return ending.state;
  }, { name: definition.id, maxRecoveryAttempts: 1_000_000 })]));

  DBOS.setConfig({
    name: "qinfra", systemDatabasePool: pool, systemDatabaseSchemaName: dbosSchema, executorID: executor, applicationVersion, runMigrations: false,
    systemDatabaseUrl: "postgres://the-pool:decides@localhost:5432/qinfra",
    logger: { info: () => undefined, debug: () => undefined, warn: (entry) => log("warn", entry), error: (entry) => log("error", entry) },
  });
  await DBOS.launch();
  await rpc.call("ready", null);
}

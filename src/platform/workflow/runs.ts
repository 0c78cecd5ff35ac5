import type { TSchema } from "typebox";
import type { Clock } from "../clock.ts";
import { timestamp } from "../clock.ts";
import type { Db } from "../database/database.ts";
import { fail, InvalidInput } from "../errors.ts";
import type { EventAppender } from "../events/types.ts";
import { toTypeId, type Ids } from "../ids.ts";
import { checkValue } from "./check.ts";
import { mostBytes, type SignalRef, type Workflow } from "./declare.ts";
import { RunEnded, RunNotEnded, RunNotFound, SignalUnknown } from "./errors.ts";
import { WorkflowCancelled, WorkflowEnded, WorkflowRetried, WorkflowSignalled, WorkflowStarted } from "./events.ts";
import type { Ending } from "./frame.ts";
import {
  deleteChildEnded, deleteChildren, endRun, failedChildren, insertMessage, insertRun, markCancelled, openChildren, ring, runAgain, runForChange, whereItEnded, type RunRow,
} from "./store.ts";
import { schedulesIn } from "./scheduling.ts";
import type { Starter, Workflows } from "./types.ts";

export interface RunPorts {
  clock: Clock;
  ids: Ids;
  events: EventAppender;
  workflows: ReadonlyMap<string, Workflow>;
}

/** TypeID of a run. */
export function runTypeId(id: string): string {
  return toTypeId("run", id);
}

/** Workflows as seen from one transaction of an organization. */
export function workflowsIn(db: Db, origin: { orgId: string; starter: Starter }, ports: RunPorts): Workflows {
  const { orgId, starter } = origin;

  async function locked(id: string): Promise<RunRow> {
    const run = await runForChange(db, orgId, id);
    if (run === undefined) fail(RunNotFound, `There is no run ${runTypeId(id)} in this organization; qinfra workflows list shows what there is.`);
    return run;
  }

  async function retry(run: RunRow): Promise<void> {
    if (run.state !== "failed" && run.state !== "cancelled") fail(RunNotEnded, `Run ${runTypeId(run.id)} is ${run.state}; only one that failed or was cancelled can go on.`);
    const open = await openChildren(db, orgId, run.id);
    if (open.length > 0) fail(RunNotEnded, `Run ${runTypeId(run.id)} has ended, and ${open.length} that it started have not yet; try again when they have.`);
    // One that was cancelled before it began recorded nothing.
    const where = (await whereItEnded(db, orgId, run.id)) ?? { from: 0, to: 0, undone: true };
    if (where.undone) await deleteChildren(db, orgId, run.id);
    else {
      for (const child of await failedChildren(db, orgId, run.id, where)) {
        await deleteChildEnded(db, orgId, run.id, child.parent_seq);
        await retry(await locked(child.id));
      }
    }
    await runAgain(db, orgId, run.id, where);
    await ports.events.append({ type: WorkflowRetried, subject: runTypeId(run.id), data: { workflow: run.workflow } });
  }

  return {
    start: (workflow, input) => startRun(db, { orgId, starter }, ports, workflow as Workflow, input),
    async signal(runId, ref, body) {
      const run = await locked(runId);
      if (run.state !== "waiting" && run.state !== "running") fail(RunEnded, `Run ${runTypeId(runId)} has ${run.state === "cancelled" ? "been cancelled" : run.state}, so that nothing can be told it any more.`);
      checkSignal(ports.workflows.get(run.workflow), ref, body);
      await insertMessage(db, orgId, runId, { id: ports.ids.uuid(), kind: "signal", name: ref.name, body }, timestamp(ports.clock));
      await ports.events.append({ type: WorkflowSignalled, subject: runTypeId(runId), data: { workflow: run.workflow, signal: ref.name } });
      await ring(db);
    },
    ...schedulesIn(db, { orgId, starter }, ports),
    known: (workflow) => ports.workflows.get(workflow),
    async cancel(runId) {
      const run = await locked(runId);
      if (run.state !== "waiting" && run.state !== "running") fail(RunEnded, `Run ${runTypeId(runId)} has ended already (${run.state}).`);
      await cancelRun(db, run, ports);
      await ring(db);
    },
    async retry(runId) {
      await retry(await locked(runId));
      await ring(db);
    },
  };
}

export interface StartPlace {
  orgId: string;
  starter: Starter;
  parent?: { id: string; seq: number };
  schedule?: { id: string; for: string };
  /** Concurrency key where the workflow has none of its own. */
  key?: string;
}

/** A new run that waits to be handed over; its UUID. */
export async function startRun<I extends TSchema>(db: Db, place: StartPlace, ports: RunPorts, workflow: Workflow<I>, input: unknown): Promise<string> {
  const { orgId, starter, parent, schedule } = place;
  checkValue(workflow.input, input, `input of ${workflow.id}`);
  const bytes = JSON.stringify(input ?? null).length;
  if (bytes > mostBytes) fail(InvalidInput, `The input of ${workflow.id} is ${bytes} bytes; at most ${mostBytes} are kept in a history, larger ones go by blob reference.`);
  const id = ports.ids.uuid();
  const key = workflow.concurrencyKey?.(input as never) ?? place.key ?? null;
  const inserted = await insertRun(db, {
    orgId, id, workflow: workflow.id, input, concurrencyKey: key, actor: starter, at: timestamp(ports.clock),
    ...(parent === undefined ? {} : { parent }), ...(schedule === undefined ? {} : { schedule }),
  });
  if (!inserted) return id;
  await ports.events.append({ type: WorkflowStarted, subject: runTypeId(id), data: { workflow: workflow.id, ...(parent === undefined ? {} : { parent: runTypeId(parent.id) }) } });
  await ring(db);
  return id;
}

/** One that waits is over at once; one that runs is told, and has its compensations before it. */
async function cancelRun(db: Db, run: RunRow, ports: RunPorts): Promise<void> {
  const at = timestamp(ports.clock);
  if (run.cancelled_at !== null) return;
  await markCancelled(db, run.org_id, run.id, at);
  await ports.events.append({ type: WorkflowCancelled, subject: runTypeId(run.id), data: { workflow: run.workflow } });
  if (run.state === "waiting" && run.execution === 1) return finishRun(db, run, { state: "cancelled" }, ports);
  await insertMessage(db, run.org_id, run.id, { id: ports.ids.uuid(), kind: "cancel" }, at);
}

/** Records how a run ended, tells its parent, and cancels what it had started and not waited for. Once. */
export async function finishRun(db: Db, run: Pick<RunRow, "org_id" | "id" | "workflow" | "parent_id" | "parent_seq" | "concurrency_key">, ending: Ending, ports: RunPorts): Promise<void> {
  const at = timestamp(ports.clock);
  if (!(await endRun(db, run.org_id, run.id, ending, at))) return;
  if (run.parent_id !== null && run.parent_seq !== null) {
    const outcome = ending.state === "succeeded" ? { output: ending.output } : ending.state === "failed" ? { failure: ending.failure } : { cancelled: true as const };
    await insertMessage(db, run.org_id, run.parent_id, { id: ports.ids.uuid(), kind: "child-ended", seq: run.parent_seq, outcome }, at);
  }
  const children = await openChildren(db, run.org_id, run.id);
  for (const child of children) {
    const open = await runForChange(db, run.org_id, child);
    if (open !== undefined) await cancelRun(db, open, ports);
  }
  await ports.events.append({ type: WorkflowEnded, subject: runTypeId(run.id), data: { workflow: run.workflow, state: ending.state, ...("failure" in ending ? { failure: ending.failure.code } : {}) } });
  const awaited = run.parent_id !== null || run.concurrency_key !== null || children.length > 0 || ports.workflows.get(run.workflow)?.atOnce !== undefined;
  if (awaited) await ring(db);
}

function checkSignal(workflow: Workflow | undefined, ref: Pick<SignalRef, "name">, body: unknown): void {
  const known = workflow?.signals.find(({ name }) => name === ref.name);
  if (known === undefined) fail(SignalUnknown, `${workflow?.id ?? "This workflow"} waits for no signal ${ref.name}; it knows ${workflow?.signals.map(({ name }) => name).join(", ") || "none"}.`);
  checkValue(known.body, body, `body of the signal ${ref.name}`);
}

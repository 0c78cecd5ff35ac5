import { timestamp } from "../clock.ts";
import type { Db } from "../database/database.ts";
import type { Over } from "./engine.ts";
import { ownSteps, type Ending, type Where } from "./frame.ts";
import { finishRun, runTypeId, type RunPorts } from "./runs.ts";
import { insertStep, lastCall, runForChange } from "./store.ts";

/**
 * Ends a run whose execution the engine ended past the platform, or lost: as failed, where its steps can be gone on with.
 * False where it is over, or another execution of it runs.
 */
export async function endLostRun(db: Db, { org_id, id, execution }: { org_id: string; id: string; execution: number }, { code, message }: Over, ports: RunPorts): Promise<boolean> {
  const run = await runForChange(db, org_id, id);
  if (run === undefined || run.state !== "running" || run.execution !== execution) return false;
  const ending: Ending = { state: "failed", failure: { code, message: `The run ${message}. Its steps that are done stay done; qinfra workflows retry ${runTypeId(id)} goes on after them.` } };
  const at = timestamp(ports.clock);
  const { last, firstOpenChild } = await lastCall(db, org_id, id);
  const where: Where = { from: Math.min(last, firstOpenChild ?? last), to: last, undone: false };
  const call = { orgId: org_id, runId: id, seq: 0, step: ownSteps.end, input: { ending, where }, evenCancelled: true };
  const first = await insertStep(db, { call, attempt: 1, outcome: { output: null }, startedAt: at, endedAt: at });
  if (first) await finishRun(db, run, ending, ports);
  return first;
}

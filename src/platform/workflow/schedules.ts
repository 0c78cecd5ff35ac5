import { timestamp, type Clock } from "../clock.ts";
import type { Database, Db } from "../database/database.ts";
import type { EventAppender } from "../events/types.ts";
import type { Ids } from "../ids.ts";
import type { Workflow } from "./declare.ts";
import { timesUntil } from "./cron.ts";
import { startRun, workflowsIn, type RunPorts } from "./runs.ts";
import { dueSchedule, openRunsOf, setNext, type ScheduleRow } from "./schedule-store.ts";

export interface SchedulePorts {
  database: Pick<Database, "system">;
  clock: Clock;
  ids: Ids;
  workflows: ReadonlyMap<string, Workflow>;
  appenderFor(db: Db, orgId: string): EventAppender;
}

/**
 * Starts what is due, each schedule in a transaction of its own that also says when it is due again: a time has its run
 * once, whoever dies when. What was missed while no server ran is made up for, as far back as the schedule says.
 */
export async function runDue(ports: SchedulePorts): Promise<number> {
  const { database, clock, ids, workflows } = ports;
  // A server of another version may know others; this one leaves them to it.
  const known = [...workflows.keys()];
  let started = 0;
  for (;;) {
    const more = await database.system(async (db) => {
      const schedule = await dueSchedule(db, known, timestamp(clock));
      if (schedule === undefined) return false;
      const events = ports.appenderFor(db, schedule.org_id);
      started += await startDue(db, schedule, { clock, ids, workflows, events });
      return true;
    });
    if (!more) return started;
  }
}

async function startDue(db: Db, schedule: ScheduleRow, ports: RunPorts): Promise<number> {
  const now = ports.clock.now();
  const { due, next } = timesUntil(schedule.cron, schedule.time_zone, (schedule.next_at as Date).getTime(), now);
  const workflow = ports.workflows.get(schedule.workflow);
  if (workflow === undefined) return 0;
  await setNext(db, schedule, next === undefined ? null : new Date(next).toISOString());
  let started = 0;
  for (const time of due.filter((one, i) => one >= now - schedule.catch_up_seconds * 1_000 || (i === due.length - 1 && one >= now - graceMs))) {
    if (!(await makeRoom(db, schedule, ports))) continue;
    await startRun(db, {
      orgId: schedule.org_id, starter: schedule.actor, schedule: { id: schedule.id, for: new Date(time).toISOString() },
      ...(schedule.overlap === "allow" ? {} : { key: `schedule ${schedule.id}` }),
    }, ports, workflow, schedule.input);
    started += 1;
  }
  return started;
}

/** A time is not missed because the servers were busy for a moment. */
const graceMs = 60_000;

/** What the overlap policy says of a run that is due while another one of the schedule is not over. */
async function makeRoom(db: Db, schedule: ScheduleRow, ports: RunPorts): Promise<boolean> {
  if (schedule.overlap === "allow") return true;
  const open = await openRunsOf(db, schedule);
  if (open.length === 0) return true;
  if (schedule.overlap === "skip") return false;
  if (schedule.overlap === "wait") return open.length < 2;
  const workflows = workflowsIn(db, { orgId: schedule.org_id, starter: schedule.actor }, ports);
  for (const run of open) await workflows.cancel(run.id);
  return true;
}

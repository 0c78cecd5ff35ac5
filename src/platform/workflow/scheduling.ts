import { timestamp } from "../clock.ts";
import type { Db } from "../database/database.ts";
import { fail } from "../errors.ts";
import { toTypeId } from "../ids.ts";
import { checkValue } from "./check.ts";
import { nextTime } from "./cron.ts";
import { ScheduleExists, ScheduleNotFound, WorkflowUnknown } from "./errors.ts";
import { WorkflowRescheduled, WorkflowScheduled, WorkflowUnscheduled } from "./events.ts";
import type { RunPorts } from "./runs.ts";
import { deleteSchedule, insertSchedule, scheduleById, updateSchedule, type ScheduleRow } from "./schedule-store.ts";
import type { Starter, Workflows } from "./types.ts";

/** TypeID of a schedule. */
export function scheduleTypeId(id: string): string {
  return toTypeId("sch", id);
}

/** Schedules as seen from one transaction of an organization. What they start is started by who made or changed them last. */
export function schedulesIn(db: Db, { orgId, starter }: { orgId: string; starter: Starter }, ports: RunPorts): Pick<Workflows, "schedule" | "reschedule" | "unschedule"> {
  const { clock, ids, events, workflows } = ports;

  async function found(id: string): Promise<ScheduleRow> {
    const row = await scheduleById(db, id);
    if (row === undefined) fail(ScheduleNotFound, `There is no schedule ${scheduleTypeId(id)} in this organization; qinfra schedules list shows what there is.`);
    return row;
  }

  /** When it is due next, from now on. */
  function next(cron: string, timeZone: string): string | null {
    const time = nextTime(cron, timeZone, clock.now());
    return time === undefined ? null : new Date(time).toISOString();
  }

  function check(workflow: string, input: unknown): void {
    const declared = workflows.get(workflow);
    if (declared === undefined) fail(WorkflowUnknown, `There is no workflow ${workflow}; docs/reference/workflows.md lists what there is.`);
    checkValue(declared.input, input, `input of ${workflow}`);
  }

  return {
    async schedule({ name, workflow, input, cron, timeZone, overlap, catchUpSeconds, paused }) {
      check(workflow, input);
      const id = ids.uuid();
      const made = await insertSchedule(db, {
        org_id: orgId, id, name, workflow, input, cron, time_zone: timeZone, overlap, catch_up_seconds: catchUpSeconds, paused, actor: starter, next: next(cron, timeZone), at: timestamp(clock),
      });
      if (!made) fail(ScheduleExists, `There is a schedule ${name} already; choose another name, or change that one.`);
      await events.append({ type: WorkflowScheduled, subject: scheduleTypeId(id), data: { workflow, overlap, paused } });
      return id;
    },
    async reschedule(id, changes) {
      const row = await found(id);
      const input = "input" in changes ? changes.input : row.input;
      check(row.workflow, input);
      const { cron = row.cron, timeZone = row.time_zone, overlap = row.overlap, catchUpSeconds = row.catch_up_seconds, paused = row.paused } = changes;
      await updateSchedule(db, { id, input, cron, time_zone: timeZone, overlap, catch_up_seconds: catchUpSeconds, paused, actor: starter, next: next(cron, timeZone), at: timestamp(clock) });
      await events.append({ type: WorkflowRescheduled, subject: scheduleTypeId(id), data: { workflow: row.workflow, overlap, paused } });
      return found(id);
    },
    async unschedule(id) {
      const row = await found(id);
      await deleteSchedule(db, id);
      await events.append({ type: WorkflowUnscheduled, subject: scheduleTypeId(id), data: { workflow: row.workflow } });
    },
  };
}

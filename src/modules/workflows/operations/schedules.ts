import { Type, type Static } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { toTypeId, TypeId, uuidOf } from "../../../platform/ids.ts";
import { anyKey, fromCursor, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { listSchedules as readSchedules, scheduleById, ScheduleExists, ScheduleInvalid, ScheduleNotFound, WorkflowUnknown, type ScheduleRow } from "../../../platform/workflow/index.ts";
import { WorkflowNotAllowed } from "../errors.ts";
import { mayRun } from "../may-run.ts";

const ScheduleId = TypeId("sch", "Schedule");
const Name = Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,62}$", description: "Name of the schedule", examples: ["nightly-feeds"] });
const fields = {
  input: Type.Record(Type.String({ maxLength: 100 }), Type.Unknown(), { description: "As the workflow declares it", maxProperties: 100 }),
  cron: Type.String({ minLength: 9, maxLength: 200, description: "Minute, hour, day of the month, month, day of the week, as in crontab(5)", examples: ["30 2 * * *"] }),
  timeZone: Type.String({ minLength: 1, maxLength: 64, description: "IANA name of the time zone in which that is meant", examples: ["Europe/Zurich"] }),
  overlap: Type.Union([Type.Literal("skip"), Type.Literal("wait"), Type.Literal("allow"), Type.Literal("cancel")], {
    description: "What becomes of a run that is due while the one before is not over: left out, one of them waits, both run, or the one before is cancelled",
  }),
  catchUpSeconds: Type.Integer({ minimum: 0, maximum: 31_536_000, description: "How far back it makes up for times that passed while no server ran; 0 for not at all" }),
  paused: Type.Boolean({ description: "While it is true, nothing is started" }),
};

const Schedule = Type.Object({
  id: ScheduleId, name: Name, workflow: Type.String(), ...fields,
  nextAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()], { description: "When it is due; null for never again" }),
  createdAt: Type.String({ format: "date-time" }),
});

const example = { id: "sch_01jd0000000000000000000000" };

function shown(row: ScheduleRow): Static<typeof Schedule> {
  return {
    id: toTypeId("sch", row.id), name: row.name, workflow: row.workflow, input: row.input as Record<string, unknown>, cron: row.cron, timeZone: row.time_zone, overlap: row.overlap,
    catchUpSeconds: row.catch_up_seconds, paused: row.paused, nextAt: row.paused ? null : (row.next_at?.toISOString() ?? null), createdAt: row.created_at.toISOString(),
  };
}

export const createSchedule = operation({
  id: "schedules.create",
  http: "POST /api/v1/schedules",
  cli: { name: "schedules create", positional: ["name", "workflow"] },
  summary: "Have a workflow started by itself, again and again",
  description: "What it starts acts for who made or changed the schedule last. Needs the permission of the workflow as well.",
  permission: "workflows:write",
  effect: "change",
  input: Type.Object({
    name: Name, workflow: Type.String({ minLength: 1, maxLength: 100, description: "Id of the workflow" }), cron: fields.cron,
    input: Type.Optional({ ...fields.input, default: {} }), timeZone: Type.Optional({ ...fields.timeZone, default: "UTC" }), overlap: Type.Optional({ ...fields.overlap, default: "skip" }),
    catchUpSeconds: Type.Optional({ ...fields.catchUpSeconds, default: 3_600 }), paused: Type.Optional({ ...fields.paused, default: false }),
  }),
  output: Schedule,
  errors: [WorkflowUnknown, WorkflowNotAllowed, ScheduleInvalid, ScheduleExists],
  creates: true,
  examples: [{ input: { name: "nightly-feeds", workflow: "vulnerabilities.sync-feeds", cron: "30 2 * * *", timeZone: "Europe/Zurich", input: { ecosystems: ["Debian"] } } }],
  async handle(context, { name, workflow, cron, input = {}, timeZone = "UTC", overlap = "skip", catchUpSeconds = 3_600, paused = false }) {
    mayRun(context, workflow);
    const id = await context.workflows.schedule({ name, workflow, cron, input, timeZone, overlap, catchUpSeconds, paused });
    return shown((await scheduleById(context.db, id)) as ScheduleRow);
  },
});

export const listSchedules = operation({
  id: "schedules.list",
  http: "GET /api/v1/schedules",
  cli: { name: "schedules list", columns: ["id", "name", "workflow", "cron", "timeZone", "paused", "nextAt"] },
  summary: "List schedules, by name",
  permission: "workflows:read",
  effect: "read",
  input: Type.Object(paging),
  output: Page(Schedule),
  examples: [{ input: {} }],
  async handle({ db }, { cursor, limit = 100 }) {
    const after = fromCursor(cursor, anyKey);
    const rows = await readSchedules(db, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
    return pageOf(rows.map(shown), limit, (schedule) => schedule.name);
  },
});

export const updateSchedule = operation({
  id: "schedules.update",
  http: "PATCH /api/v1/schedules/{id}",
  cli: { name: "schedules update", positional: ["id"] },
  summary: "Change or pause a schedule",
  permission: "workflows:write",
  effect: "change",
  input: Type.Object({
    id: ScheduleId, input: Type.Optional(fields.input), cron: Type.Optional(fields.cron), timeZone: Type.Optional(fields.timeZone), overlap: Type.Optional(fields.overlap),
    catchUpSeconds: Type.Optional(fields.catchUpSeconds), paused: Type.Optional(fields.paused),
  }),
  output: Schedule,
  errors: [ScheduleNotFound, ScheduleInvalid, WorkflowUnknown, WorkflowNotAllowed],
  examples: [{ input: { ...example, paused: true } }],
  async handle(context, { id, ...changes }) {
    const uuid = uuidOf("sch", id);
    const row = await scheduleById(context.db, uuid);
    if (row === undefined) fail(ScheduleNotFound, `There is no schedule ${id} in this organization; qinfra schedules list shows what there is.`);
    mayRun(context, row.workflow);
    return shown(await context.workflows.reschedule(uuid, changes));
  },
});

export const deleteSchedule = operation({
  id: "schedules.delete",
  http: "DELETE /api/v1/schedules/{id}",
  cli: { name: "schedules delete", positional: ["id"] },
  summary: "Delete a schedule; runs that it has started go on",
  permission: "workflows:write",
  effect: "change",
  input: Type.Object({ id: ScheduleId }),
  output: Type.Object({ id: ScheduleId }),
  errors: [ScheduleNotFound],
  examples: [{ input: example }],
  async handle(context, { id }) {
    await context.workflows.unschedule(uuidOf("sch", id));
    return { id };
  },
});

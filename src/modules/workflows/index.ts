import type { Module } from "../../platform/operation/index.ts";
import * as events from "../../platform/workflow/events.ts";
import { cancelWorkflow, retryWorkflow, signalWorkflow, startWorkflow } from "./operations/change-runs.ts";
import { createSchedule, deleteSchedule, listSchedules, updateSchedule } from "./operations/schedules.ts";
import { getWorkflow, listWorkflows } from "./operations/runs.ts";

/** What runs, as people see it; the engine and its tables are the platform's. */
export const workflows: Module = { name: "workflows", events: Object.values(events), operations: [startWorkflow, listWorkflows, getWorkflow, cancelWorkflow, retryWorkflow, signalWorkflow, createSchedule, listSchedules, updateSchedule, deleteSchedule] };

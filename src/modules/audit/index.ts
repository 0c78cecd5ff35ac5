import { AccessRefused, StrangersRefused } from "../../platform/operation/access-events.ts";
import type { Module } from "../../platform/operation/index.ts";
import { exportEvents } from "./operations/export-events.ts";
import { listEvents } from "./operations/list-events.ts";
import { verifyAudit } from "./operations/verify-log.ts";

/** The audit log is a view of the event log; this module owns no table. */
export const audit: Module = { name: "audit", events: [AccessRefused, StrangersRefused], operations: [listEvents, exportEvents, verifyAudit] };

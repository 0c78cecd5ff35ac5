import type { Module } from "../../platform/operation/index.ts";
import { watchEvents } from "./operations/watch-events.ts";

/** Events as people and programs see them; the log is the platform's. */
export const events: Module = { name: "events", operations: [watchEvents] };

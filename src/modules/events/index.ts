import type { Module } from "../../platform/operation/index.ts";
import * as types from "./events.ts";
import { getDeadLetter, listDeadLetters } from "./operations/dead-letters.ts";
import { redrive } from "./operations/redrive.ts";
import { watchEvents } from "./operations/watch-events.ts";

/** Events as people and programs see them; the log is the platform's. */
export const events: Module = { name: "events", events: Object.values(types), operations: [watchEvents, listDeadLetters, getDeadLetter, redrive] };

import { pino } from "pino";
import { createTemporalEngine } from "../../../src/platform/workflow/engines/temporal/engine.ts";

// A server that begins a step and never ends it, to be killed: its arguments are the address, the bundle's path and the queue.
const [url = "", path = "", taskQueue = ""] = process.argv.slice(2);
await createTemporalEngine({
  executor: "hanging", url, bundle: { path }, taskQueue, log: pino({ level: "silent" }),
  runStep(call) {
    process.stdout.write(`began ${call.step}\n`);
    return new Promise(() => undefined);
  },
});

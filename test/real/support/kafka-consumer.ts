import pino from "pino";
import { systemClock } from "../../../src/platform/clock.ts";
import { openKafkaBus } from "../../../src/platform/events/bus/kafka/index.ts";

// A consumer in a process of its own, to be killed: it says what it is given, and ends nothing that is marked to be held.
const [url = "", topic = "", held = ""] = process.argv.slice(2);
const bus = await openKafkaBus({ url, log: pino({ level: "silent" }), clock: systemClock });
await bus.consume({
  topic, group: "readers", from: "start",
  async handle({ event }) {
    process.stdout.write(`given ${event.subject}\n`);
    if (event.subject === held) await new Promise(() => undefined);
  },
});

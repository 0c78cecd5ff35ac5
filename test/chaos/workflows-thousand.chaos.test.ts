import { createDbosEngine } from "../../src/platform/workflow/engines/dbos/engine.ts";
import { thousandAtOnce } from "../../src/platform/workflow/testing/thousand.ts";

const entry = new URL("../../src/platform/workflow/testing/thread.ts", import.meta.url);

thousandAtOnce("DBOS", (fixture, ports) => createDbosEngine({ ...ports, entry, connection: fixture.config("qinfra_system") }));

import { engineConformance } from "../../testing/conformance.ts";
import { createDbosEngine } from "./engine.ts";

const entry = new URL("../../testing/thread.ts", import.meta.url);

engineConformance("DBOS", (fixture, ports) => createDbosEngine({ ...ports, entry, connection: fixture.config("qinfra_system") }));

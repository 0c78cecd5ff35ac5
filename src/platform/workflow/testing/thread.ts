import { serveDbos } from "../engines/dbos/thread.ts";
import { testWorkflows } from "./workflows.ts";

await serveDbos(testWorkflows);

import { serveDbos } from "../engines/dbos/thread.ts";
import { workflowsBefore } from "./workflows.ts";

await serveDbos(workflowsBefore);

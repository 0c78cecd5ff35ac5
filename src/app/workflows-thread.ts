import { serveDbos } from "../platform/workflow/engines/dbos/thread.ts";
import { workflows } from "./workflows.ts";

await serveDbos(workflows);

import { vulnerabilityWorkflows } from "../modules/vulnerabilities/workflows/sync-feeds.ts";
import type { Workflow } from "../platform/workflow/declare.ts";

/** The workflows of every module, without the modules: what the thread that runs them loads. */
export const workflows: readonly Workflow[] = [...vulnerabilityWorkflows];

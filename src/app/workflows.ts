import { approvalWorkflows } from "../modules/approvals/workflows/follow-request.ts";
import { inventoryWorkflows } from "../modules/inventory/workflows/scan-site.ts";
import { notificationWorkflows } from "../modules/notifications/workflows/deliver.ts";
import { vulnerabilityWorkflows } from "../modules/vulnerabilities/workflows/sync-feeds.ts";
import type { Workflow } from "../platform/workflow/declare.ts";

/** The workflows of every module, without the modules: what the thread that runs them loads. */
export const workflows: readonly Workflow[] = [...approvalWorkflows, ...inventoryWorkflows, ...notificationWorkflows, ...vulnerabilityWorkflows];

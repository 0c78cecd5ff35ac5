import type { Client } from "@temporalio/client";
import type { Over } from "../../engine.ts";
import type { TemporalPackages } from "./packages.ts";

const how: Readonly<Record<string, Over>> = {
  TERMINATED: { code: "workflow-terminated", message: "was terminated in Temporal, past the platform" },
  TIMED_OUT: { code: "workflow-timed-out", message: "took longer than Temporal's namespace lets a workflow run" },
  CANCELLED: { code: "workflow-terminated", message: "was ended in Temporal, past the platform" },
  FAILED: { code: "workflow-ended", message: "was ended by Temporal as failed" },
  COMPLETED: { code: "workflow-ended", message: "is over at Temporal, without its last step" },
};

/** How an execution is over; undefined for one that runs. Errors: what Temporal answers where it is away. */
export async function describeOver({ client: { WorkflowNotFoundError } }: TemporalPackages, client: Client, key: string): Promise<Over | undefined> {
  try {
    const { status } = await client.workflow.getHandle(key).describe();
    return how[status.name];
  } catch (error) {
    // Only of the execution: a namespace that is not there is another error.
    if (error instanceof WorkflowNotFoundError) return { code: "workflow-lost", message: "is not known to Temporal any more: its history was deleted or lost" };
    throw error;
  }
}

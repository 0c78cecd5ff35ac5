import { Type } from "typebox";
import { signal, step, workflow, type Workflow } from "../../../platform/workflow/declare.ts";

const Approval = Type.Object({ approval: Type.String({ pattern: "^apr_[0-7][0-9a-hjkmnp-tv-z]{25}$", description: "Approval request" }) });
const State = Type.String({ description: "State of the request" });

/** Tells it to look again. */
const changed = signal({ name: "approvals.changed", summary: "The request was decided on, changed or taken back", body: Type.Object({}) });

export const lookAtRequest = step({
  id: "approvals.look-at-request", summary: "Do what is due on a request: tell of it again, or end it",
  input: Approval, output: Type.Object({ state: State, waitSeconds: Type.Number({ minimum: 0, description: "Until something is due again" }) }),
});

export const runApprovedOperation = step({
  id: "approvals.run-approved", summary: "Run what was approved, as whoever asked",
  input: Approval, output: Type.Object({ state: State }),
  retry: { attempts: 8, firstSeconds: 1, mostSeconds: 300 }, timeoutSeconds: 600,
});

export const followRequest = workflow({
  id: "approvals.follow-request", summary: "Wait for the decisions on a request, and run what was approved", permission: "platform:approvals",
  input: Approval, output: Type.Object({ state: State }), signals: [changed],
  async run(flow, { approval }) {
    for (;;) {
      const { state, waitSeconds } = await flow.step(lookAtRequest, { approval });
      if (state === "approved") return flow.step(runApprovedOperation, { approval });
      if (state !== "pending") return { state };
      await flow.waitFor(changed, { timeoutSeconds: waitSeconds });
    }
  },
});

export const approvalWorkflows = [followRequest] as unknown as readonly Workflow[];

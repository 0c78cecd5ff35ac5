import { approvalEvents } from "../../platform/approvals/index.ts";
import type { Module } from "../../platform/operation/index.ts";
import { approveRequest, rejectRequest, withdrawRequest } from "./operations/decide.ts";
import { delegate, listAllDelegations, takeBackDelegation } from "./operations/delegations.ts";
import { commentOnRequest, modifyRequest } from "./operations/discuss.ts";
import { getRequest, listRequests, listRules } from "./operations/read-requests.ts";
import { lookAtRequestHandler, runApprovedHandler } from "./steps/follow-request.ts";
import { approvalWorkflows } from "./workflows/follow-request.ts";

/** What waits for people, as they see it and decide on it; the gate and its tables are the platform's. */
export const approvals: Module = {
  name: "approvals",
  operations: [listRequests, getRequest, approveRequest, rejectRequest, withdrawRequest, commentOnRequest, modifyRequest, delegate, listAllDelegations, takeBackDelegation, listRules],
  events: approvalEvents,
  workflows: approvalWorkflows,
  steps: [lookAtRequestHandler, runApprovedHandler],
};

export { followRequest } from "./workflows/follow-request.ts";

export { approvalTypeId, type ApprovalPorts } from "./ask.ts";
export { comment, decide, delegatedTo, notThere, pendingForChange, wake, withdraw, type EligiblePersons } from "./decide.ts";
export { end } from "./end.ts";
export { delegationForChange, endDelegation, insertDelegation, listDelegations, type DelegationRow } from "./delegation-store.ts";
export * from "./errors.ts";
export { approvalEvents, delegated, delegationEnded, escalated, modified } from "./events.ts";
export { countsAs, inWords, prospects, soleAfterMs, solePerson, standingOf, stillCounting } from "./rules.ts";
export { approvalById, approvalForChange, commentsOf, decisionsOf, eraseWordsOf, listApprovals, markEscalated, modify, pendingApproval, type ApprovalRow, type CommentRow, type DecisionRow } from "./store.ts";
export { approvalStates, usualTimes, type ApprovalState, type ApprovalTimes, type ApproverRule, type Eligible, type Requester } from "./types.ts";

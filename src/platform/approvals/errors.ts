import { errorType } from "../errors.ts";

export const ApprovalNotFound = errorType("approval-not-found", 404, "There is no such approval request");
export const ApprovalEnded = errorType("approval-ended", 409, "This approval request has ended");
export const ApprovalChanged = errorType("approval-changed", 409, "What was asked for is not what you name");
export const ApprovalDecided = errorType("approval-decided", 409, "Your decision is there already");
export const ApprovalOutdated = errorType("approval-outdated", 409, "The world has changed since this was approved");
export const ApproverNotPerson = errorType("approver-not-person", 403, "Only a person decides, signed in as themselves");
export const ApproverServed = errorType("approver-served", 403, "Nobody approves what serves them");
export const ApproverNotEligible = errorType("approver-not-eligible", 403, "This needs somebody in another role");
export const ReasonNeeded = errorType("approval-reason-needed", 422, "Say why");
export const DelegationNotFound = errorType("delegation-not-found", 404, "There is no such delegation");
export const DelegationInvalid = errorType("delegation-invalid", 422, "This cannot be delegated so");

import { Type } from "typebox";
import { eventType, type EventType } from "../events/declare.ts";
import { TypeId } from "../ids.ts";

const Operation = Type.String({ pattern: "^[a-z][a-z-]*\\.[a-z][a-z-]*$", maxLength: 121, description: "Id of the operation that was asked for" });
const Hash = Type.String({ pattern: "^[0-9a-f]{64}$", description: "SHA-256 of operation, canonical input and plan" });
const Role = Type.String({ pattern: "^[a-z][a-z-]{0,49}$", description: "Role in the organization" });
const Rule = Type.Array(Type.Object({ role: Role, count: Type.Integer({ minimum: 1, description: "How many of them" }) }), { maxItems: 20, description: "How many of which role must approve" });
const Code = Type.String({ pattern: "^[a-z][a-z0-9-]{0,99}$", description: "Why" });
const Person = (description: string) => TypeId("usr", description);
const Time = (description: string) => Type.String({ format: "date-time", maxLength: 40, description });
const Revision = Type.Integer({ minimum: 1, description: "Counts the modifications" });
const permission = "approvals:read";

export const requested = eventType({
  type: "approvals.requested", summary: "Somebody asked for what people have to approve", permission,
  data: { operation: Operation, hash: Hash, reasons: Type.Array(Code, { maxItems: 50, description: "Codes of why policies ask for it" }), approvers: Rule, ai: Type.Boolean({ description: "An AI actor asked" }) },
});
export const modified = eventType({
  type: "approvals.modified", summary: "A request was changed; earlier decisions lapsed", permission,
  data: { operation: Operation, hash: Hash, revision: Revision },
});
export const commented = eventType({ type: "approvals.commented", summary: "Somebody commented on a request", permission, data: { operation: Operation, revision: Revision } });
export const decided = eventType({
  type: "approvals.decided", summary: "A person approved or rejected a request", permission,
  data: {
    operation: Operation, hash: Hash, revision: Revision, decision: Type.Enum(["approve", "reject"], { description: "What they decided" }), role: Role,
    countsFor: Person("Whose vote it is"),
    selfApproved: Type.Boolean({ description: "The only person who could decide confirmed what serves them" }),
    state: Type.Enum(["pending", "approved", "rejected"], { description: "Of the request, with this decision" }),
  },
});
export const escalated = eventType({ type: "approvals.escalated", summary: "A request has waited long for its decision", permission, data: { operation: Operation, approvers: Rule } });
export const executed = eventType({ type: "approvals.executed", summary: "What was approved has run", permission, data: { operation: Operation, hash: Hash } });
export const ended = eventType({
  type: "approvals.ended", summary: "A request ended without running", permission,
  data: { operation: Operation, state: Type.Enum(["rejected", "withdrawn", "expired", "outdated", "failed"], { description: "How it ended" }), code: Type.Optional({ ...Code, description: "Why it did not run" }) },
});
export const delegated = eventType({
  type: "approvals.delegated", summary: "A person lets another one decide for a time", permission,
  data: { from: Person("Who lets somebody decide"), to: Person("Who may decide"), startsAt: Time("From when on"), endsAt: Time("Until when") },
});
export const delegationEnded = eventType({ type: "approvals.delegation-ended", summary: "A delegation was taken back", permission, data: { from: Person("Who let somebody decide"), to: Person("Who could decide") } });

export const approvalEvents: readonly EventType[] = [requested, modified, commented, decided, escalated, executed, ended, delegated, delegationEnded];

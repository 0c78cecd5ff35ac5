import { Type } from "typebox";
import { eventType, type EventType } from "../events/declare.ts";

const Operation = Type.String({ maxLength: 121, description: "Id of the operation that was asked for" });
const Hash = Type.String({ pattern: "^[0-9a-f]{64}$", description: "SHA-256 of operation, canonical input and plan" });
const Role = Type.String({ maxLength: 50 });
const Rule = Type.Array(Type.Object({ role: Role, count: Type.Integer() }, { additionalProperties: false }), { description: "How many of which role must approve" });
const Revision = Type.Integer({ minimum: 1, description: "Counts the modifications" });
const permission = "approvals:read";

export const requested = eventType({
  type: "approvals.requested", summary: "Somebody asked for what people have to approve", permission,
  data: { operation: Operation, hash: Hash, reasons: Type.Array(Type.String({ maxLength: 100 })), approvers: Rule, ai: Type.Boolean({ description: "An AI actor asked" }) },
});
export const modified = eventType({
  type: "approvals.modified", summary: "A request was changed; earlier decisions lapsed", permission,
  data: { operation: Operation, hash: Hash, revision: Revision },
});
export const commented = eventType({ type: "approvals.commented", summary: "Somebody commented on a request", permission, data: { operation: Operation, revision: Revision } });
export const decided = eventType({
  type: "approvals.decided", summary: "A person approved or rejected a request", permission,
  data: {
    operation: Operation, hash: Hash, revision: Revision, decision: Type.Union([Type.Literal("approve"), Type.Literal("reject")]), role: Role,
    countsFor: Type.String({ maxLength: 40, description: "TypeID of the person whose vote it is" }),
    selfApproved: Type.Boolean({ description: "The only person who could decide confirmed what serves them" }),
    state: Type.Union([Type.Literal("pending"), Type.Literal("approved"), Type.Literal("rejected")], { description: "Of the request, with this decision" }),
  },
});
export const escalated = eventType({ type: "approvals.escalated", summary: "A request has waited long for its decision", permission, data: { operation: Operation, approvers: Rule } });
export const executed = eventType({ type: "approvals.executed", summary: "What was approved has run", permission, data: { operation: Operation, hash: Hash } });
export const ended = eventType({
  type: "approvals.ended", summary: "A request ended without running", permission,
  data: { operation: Operation, state: Type.Enum(["rejected", "withdrawn", "expired", "outdated", "failed"]), code: Type.Optional(Type.String({ maxLength: 100, description: "Why it did not run" })) },
});
export const delegated = eventType({
  type: "approvals.delegated", summary: "A person lets another one decide for a time", permission,
  data: { from: Type.String({ maxLength: 40 }), to: Type.String({ maxLength: 40 }), startsAt: Type.String({ format: "date-time", maxLength: 40 }), endsAt: Type.String({ format: "date-time", maxLength: 40 }) },
});
export const delegationEnded = eventType({ type: "approvals.delegation-ended", summary: "A delegation was taken back", permission, data: { from: Type.String({ maxLength: 40 }), to: Type.String({ maxLength: 40 }) } });

export const approvalEvents: readonly EventType[] = [requested, modified, commented, decided, escalated, executed, ended, delegated, delegationEnded];

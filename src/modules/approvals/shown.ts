import type { Static } from "typebox";
import { approvalTypeId, type ApprovalRow, type CommentRow, type DecisionRow, type DelegationRow } from "../../platform/approvals/index.ts";
import { toTypeId } from "../../platform/ids.ts";
import { whatItNames } from "../../platform/policy/index.ts";
import type { Approval, ApprovalWithAll, Decision, Delegation } from "./schemas.ts";

const mostWords = 200;

/** The names in what it would do, or else in what was asked for: `family=web version=1.0.0`. */
function aboutOf({ plan, input }: ApprovalRow): string {
  const named = Object.entries(whatItNames(JSON.parse(plan ?? input)));
  return named.map(([name, value]) => `${name}=${value}`).join(" ").slice(0, mostWords);
}

/** A request as lists show it. What the operation said when it failed names what it is about, as its input does. */
export function shownApproval(row: ApprovalRow, hidden: boolean): Approval {
  return {
    id: approvalTypeId(row.id), operation: row.operation, about: hidden ? null : aboutOf(row), state: row.state, revision: row.revision, hash: row.hash.toString("hex"), reasons: row.reasons, approvers: row.approvers,
    requestedBy: requesterName(row), ai: row.requester.ai, createdAt: row.created_at.toISOString(), escalatedAt: iso(row.escalated_at), expiresAt: row.expires_at.toISOString(),
    decidedAt: iso(row.decided_at), endedAt: iso(row.ended_at), selfApproved: row.self_approved, failure: row.failure === null || !hidden ? row.failure : { ...row.failure, message: "Shown to whoever has the permission of the operation." },
  };
}

function requesterName({ requester, requester_id }: ApprovalRow): string {
  return toTypeId(requester.keyId === undefined ? "usr" : "key", requester_id);
}

/** Whom it serves. Of the ids the requester's own may be a key's; the others are people's. */
export function requestersOf({ requester, requesters }: ApprovalRow): string[] {
  return requesters.map((id) => toTypeId(id === requester.keyId ? "key" : "usr", id));
}

export function shownDecision(row: DecisionRow, revision: number): Static<typeof Decision> {
  return {
    revision: row.revision, by: toTypeId("usr", row.user_id), countsFor: toTypeId("usr", row.counts_for), role: row.role, decision: row.decision, lapsed: row.revision !== revision,
    sole: row.sole, reason: row.reason, at: row.created_at.toISOString(),
  };
}

export function shownComment(row: CommentRow): Static<typeof ApprovalWithAll>["comments"][number] {
  return { revision: row.revision, by: toTypeId(row.author_kind, row.author_id), ai: row.ai, text: row.text, at: row.created_at.toISOString() };
}

export function shownDelegation(row: DelegationRow): Static<typeof Delegation> {
  return {
    id: toTypeId("dlg", row.id), from: toTypeId("usr", row.from_user), to: toTypeId("usr", row.to_user), operations: row.operations, startsAt: row.starts_at.toISOString(), endsAt: row.ends_at.toISOString(),
    endedAt: iso(row.ended_at),
  };
}

function iso(time: Date | null): string | null {
  return time?.toISOString() ?? null;
}

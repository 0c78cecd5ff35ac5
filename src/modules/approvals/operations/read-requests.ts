import { Type } from "typebox";
import { actorId, grants, type Actor } from "../../../platform/actor.ts";
import { approvalById, commentsOf, decisionsOf, delegatedTo, listApprovals, notThere, prospects, soleAfterMs, standingOf, type ApprovalRow, type Eligible } from "../../../platform/approvals/index.ts";
import { timestamp } from "../../../platform/clock.ts";
import { DeclaredError } from "../../../platform/errors.ts";
import { toTypeId, uuidOf } from "../../../platform/ids.ts";
import { approversOf, fromCursor, operation, Page, pageOf, paging, whyNotApprovable, type Operation } from "../../../platform/operation/index.ts";
import { ApprovalNotFound } from "../../../platform/approvals/index.ts";
import { Approval, ApprovalId, ApprovalWithAll, OperationName, Rule, StateName } from "../schemas.ts";
import { requestersOf, shownApproval, shownComment, shownDecision } from "../shown.ts";

export const listRequests = operation({
  id: "approvals.list",
  http: "GET /api/v1/approvals",
  cli: { name: "approvals list", columns: ["id", "operation", "about", "state", "requestedBy", "ai", "createdAt", "expiresAt"] },
  summary: "List what waits for an approval, or waited, newest first",
  permission: "approvals:read",
  effect: "read",
  input: Type.Object({
    state: Type.Optional(StateName), operation: Type.Optional(OperationName),
    mine: Type.Optional(Type.Boolean({ description: "Only what you asked for, or was asked for in your name" })), ...paging,
  }),
  output: Page(Approval),
  examples: [{ input: {} }, { summary: "What waits", input: { state: "pending" } }],
  prepare: async ({ operations }) => operations,
  async handle({ db, actor }, { state, operation: name, mine, cursor, limit = 100 }, operations) {
    const after = fromCursor(cursor, /^apr_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
    const rows = await listApprovals(db, {
      limit: limit + 1, ...(state === undefined ? {} : { state }), ...(name === undefined ? {} : { operation: name }),
      ...(mine === true ? { requester: actor.userId ?? actorId(actor) } : {}), ...(after === undefined ? {} : { after: uuidOf("apr", after) }),
    });
    return pageOf(rows.map((row) => shownApproval(row, !mayRead(actor, operations.get(row.operation)))), limit, (row) => row.id);
  },
});

export const getRequest = operation({
  id: "approvals.get",
  http: "GET /api/v1/approvals/{id}",
  cli: { name: "approvals get", positional: ["id"] },
  summary: "Show a request: what it would do, who decided, and what became of it",
  description: "Input, plan and output are shown to whoever has the permission of the operation itself.",
  permission: "approvals:read",
  effect: "read",
  snapshot: true,
  input: Type.Object({ id: ApprovalId }),
  output: ApprovalWithAll,
  errors: [ApprovalNotFound],
  examples: [{ input: { id: "apr_01jd0000000000000000000000" } }],
  prepare: async ({ operations, eligible }) => ({ operations, eligible }),
  async handle({ db, orgId, actor, clock }, { id }, { operations, eligible }) {
    const uuid = uuidOf("apr", id);
    const row = (await approvalById(db, orgId, uuid)) ?? notThere(uuid);
    const decisions = await decisionsOf(db, orgId, uuid);
    const persons = await eligible(db, orgId, clock.now() - soleAfterMs);
    const hidden = !mayRead(actor, operations.get(row.operation));
    const { needed, possible } = prospects(row.approvers, row.requesters, persons);
    const delegated = await delegatedTo(db, row, actor, persons, timestamp(clock));
    const voted = decisions.filter(({ revision }) => revision === row.revision).map((one) => one.counts_for);
    const why = hidden ? "You lack the permission of the operation, so that you could not see what you decide on." : whyNot(row, actor, persons, delegated, voted);
    return {
      ...shownApproval(row, hidden), requesters: requestersOf(row), hidden, needed, possible, run: toTypeId("run", row.run_id),
      input: hidden ? null : JSON.parse(row.input), plan: hidden || row.plan === null ? null : JSON.parse(row.plan), output: hidden || row.output === null ? null : JSON.parse(row.output),
      you: { mayDecide: why === null, why }, decisions: decisions.map((one) => shownDecision(one, row.revision)), comments: (await commentsOf(db, orgId, uuid)).map(shownComment),
    };
  },
});

/** Who could run the operation sees what it would do. */
export function mayRead(actor: Actor, operation: Operation | undefined): boolean {
  if (operation === undefined) return false;
  return grants(actor.permissions, operation.permission) && (!operation.permission.startsWith("platform:") || actor.platform);
}

function whyNot(row: ApprovalRow, actor: Actor, eligible: readonly Eligible[], delegated: readonly { from: string; role: string }[], voted: readonly string[]): string | null {
  if (row.state !== "pending") return `The request is ${row.state}.`;
  try {
    const { countsFor } = standingOf({ actor, rule: row.approvers, served: row.requesters, eligible, delegated, voted });
    return voted.includes(countsFor) ? "You have decided already." : null;
  } catch (error) {
    if (error instanceof DeclaredError) return error.message;
    throw error;
  }
}

export const listRules = operation({
  id: "approvals.rules",
  http: "GET /api/v1/approval-rules",
  cli: { name: "approvals rules", columns: ["operation", "effect", "permission", "approvers", "why"] },
  summary: "List who approves which operation, where a policy wants an approval",
  description: "Of the operations that can wait for one; named, also another, with the reason why it cannot. A policy may ask for more people than the operation names: two for what destroys something in production.",
  permission: "approvals:read",
  effect: "read",
  input: Type.Object({ operation: Type.Optional(OperationName) }),
  output: Type.Object({ items: Type.Array(Rule) }),
  examples: [{ input: {} }],
  prepare: async ({ operations }) => operations,
  async handle(_context, { operation: name }, operations) {
    const meant = [...operations.values()].filter((one) => (name === undefined ? whyNotApprovable(one) === undefined : one.id === name));
    return {
      items: meant.map((one) => {
        const why = whyNotApprovable(one) ?? null;
        return { operation: one.id, summary: one.summary, permission: one.permission, effect: one.effect, approvers: why === null ? approversOf(one).map(({ role, count }) => ({ role, count })) : [], approvable: why === null, why };
      }),
    };
  },
});

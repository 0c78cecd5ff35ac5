import { Type } from "typebox";
import {
  ApprovalChanged, ApprovalDecided, ApprovalEnded, ApprovalNotFound, approvalById, ApproverNotEligible, ApproverNotPerson, ApproverServed, decide, notThere, ReasonNeeded, withdraw, type ApprovalPorts,
} from "../../../platform/approvals/index.ts";
import { fail, PermissionMissing } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { operation, type Context, type PrepareContext } from "../../../platform/operation/index.ts";
import { Approval, ApprovalId, Hash, Words } from "../schemas.ts";
import { shownApproval } from "../shown.ts";
import { mayRead } from "./read-requests.ts";

const example = { id: "apr_01jd0000000000000000000000", hash: "0".repeat(64) };
const errors = [ApprovalNotFound, ApprovalEnded, ApprovalChanged, ApprovalDecided, ApproverNotPerson, ApproverServed, ApproverNotEligible, ReasonNeeded];
const noTool = { mcp: "An AI actor decides on no approval." };

type Outside = Pick<PrepareContext, "operations" | "eligible" | "follow">;

async function outside({ operations, eligible, follow }: PrepareContext): Promise<Outside> {
  return { operations, eligible, follow };
}

export function portsOf({ clock, ids, events, workflows }: Context, { follow }: Pick<Outside, "follow">): ApprovalPorts {
  return { clock, ids, events, workflows, follow };
}

async function decided(context: Context, input: { id: string; hash: string; reason?: string | undefined }, decision: "approve" | "reject", staged: Outside) {
  const { db, orgId, actor } = context;
  const id = uuidOf("apr", input.id);
  const row = (await approvalById(db, orgId, id)) ?? notThere(id);
  const asked = staged.operations.get(row.operation);
  if (!mayRead(actor, asked)) {
    fail(PermissionMissing, `To decide on ${row.operation} you need its own permission${asked === undefined ? "" : ` ${asked.permission}`}, without which you do not see what it would do.`, { permission: asked?.permission ?? "" });
  }
  await decide(db, portsOf(context, staged), staged.eligible, { orgId, actor, id, hash: input.hash, decision, ...(input.reason === undefined ? {} : { reason: input.reason }) });
  return shownApproval((await approvalById(db, orgId, id)) ?? notThere(id), false);
}

export const approveRequest = operation({
  id: "approvals.approve",
  http: "POST /api/v1/approvals/{id}/approve",
  cli: { name: "approvals approve", positional: ["id", "hash"] },
  summary: "Approve a request, as you read it",
  description: "With the last decision that it needs it runs by itself, as whoever asked. The only person who could decide gives a second factor and says why.",
  permission: "approvals:decide",
  effect: "change",
  without: noTool,
  input: Type.Object({ id: ApprovalId, hash: Hash, reason: Type.Optional(Words("Why; kept with the decision")) }),
  output: Approval,
  errors,
  examples: [{ input: example }],
  prepare: outside,
  handle: (context, input, staged) => decided(context, input, "approve", staged),
});

export const rejectRequest = operation({
  id: "approvals.reject",
  http: "POST /api/v1/approvals/{id}/reject",
  cli: { name: "approvals reject", positional: ["id", "hash"] },
  summary: "Reject a request, which ends it",
  permission: "approvals:decide",
  effect: "change",
  without: noTool,
  input: Type.Object({ id: ApprovalId, hash: Hash, reason: Words("Why; shown to whoever asked") }),
  output: Approval,
  errors,
  examples: [{ input: { ...example, reason: "The canary has not run." } }],
  prepare: outside,
  handle: (context, input, staged) => decided(context, input, "reject", staged),
});

export const withdrawRequest = operation({
  id: "approvals.withdraw",
  http: "POST /api/v1/approvals/{id}/withdraw",
  cli: { name: "approvals withdraw", positional: ["id"] },
  summary: "Take a request back that you made",
  permission: "approvals:write",
  effect: "change",
  input: Type.Object({ id: ApprovalId }),
  output: Approval,
  errors: [ApprovalNotFound, ApprovalEnded, ApproverNotEligible],
  examples: [{ input: { id: example.id } }],
  prepare: outside,
  async handle(context, { id }, staged) {
    const { db, orgId, actor } = context;
    await withdraw(db, portsOf(context, staged), { orgId, actor, id: uuidOf("apr", id) });
    return shownApproval((await approvalById(db, orgId, uuidOf("apr", id))) ?? notThere(uuidOf("apr", id)), true);
  },
});

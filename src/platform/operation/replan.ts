import type { Actor } from "../actor.ts";
import { notThere } from "../approvals/decide.ts";
import { ApprovalEnded, ApprovalOutdated } from "../approvals/errors.ts";
import { approvalById } from "../approvals/store.ts";
import type { ApproverRule } from "../approvals/types.ts";
import { fail } from "../errors.ts";
import { untraced } from "../telemetry/traces.ts";
import { canonicalJson, planHash } from "./canonical.ts";
import { permit } from "./permissions.ts";
import type { Call, Services } from "./services.ts";
import { admit, judgePlan, refusePlan, stage } from "./staging.ts";
import { timesOf } from "./approval-gate.ts";
import type { ApprovalTimes } from "../approvals/types.ts";

/** What a request would be with another input. */
export interface Replanned {
  /** UUID, and the revision that was changed. */
  id: string;
  revision: number;
  input: string;
  plan: string | null;
  /** Hex. */
  hash: string;
  reasons: readonly string[];
  approvers: readonly ApproverRule[];
  /** UUIDs of whom it serves besides: who changed it, who made the key that did, and whom a policy names. */
  served: readonly string[];
  /** Whether an AI actor asked for it or changed it. */
  ai: boolean;
  times: ApprovalTimes;
}

/**
 * Plans a waiting request anew with another input, as whoever asked; who changes it must be allowed to do it themselves.
 * Errors: those of the operation, ApprovalNotFound, ApprovalEnded, ApprovalOutdated.
 */
export async function replan(services: Services, call: Call, modifier: Actor, id: string, input: unknown): Promise<Replanned> {
  const { orgId } = modifier;
  const row = orgId === undefined ? undefined : await services.database.read(orgId, (db) => approvalById(db, orgId, id));
  if (orgId === undefined || row === undefined) return notThere(id);
  if (row.state !== "pending") fail(ApprovalEnded, `The request is ${row.state}; nothing is changed in it any more.`, { state: row.state });
  const operation = services.operations.get(row.operation);
  if (operation === undefined) fail(ApprovalOutdated, `There is no operation ${row.operation} any more.`);
  permit(operation, modifier, services.clock.now());
  const theirs: Call = { ...call, input, fromText: false, door: row.door as Call["door"] };
  // Who may not ask for it does not have others ask for it.
  await admit(services, operation, { ...theirs, door: call.door }, modifier, untraced);
  // What an AI actor wrote is asked for by one, whoever began it.
  const ai = row.requester.ai || modifier.ai;
  const requester = await services.approvals.actorOf(orgId, { ...row.requester, ai });
  if (requester === undefined) fail(ApprovalOutdated, "Whoever asked for this is no member any more, or their key has ended.");
  const admitted = await admit(services, operation, theirs, requester, untraced);
  const staged = await stage(services, operation, theirs, requester, admitted, { trace: untraced, replan: () => Promise.reject(new Error("no request for an approval changes another one")) });
  const plan = operation.plan === undefined ? undefined : staged;
  const decision = await judgePlan(services, admitted.policyInput, plan);
  if (decision.decision === "deny") refusePlan(operation, decision);
  const asks = decision.decision === "approve";
  const maker = modifier.keyId === undefined ? undefined : await services.database.read(orgId, (db) => services.approvals.makerOf(db, orgId, modifier.keyId ?? ""));
  const served = [...(asks ? decision.excluded : []), modifier.userId, maker].filter((one) => one !== undefined);
  return {
    id, revision: row.revision, ai, served: [...new Set(served)], input: canonicalJson(admitted.input), plan: plan === undefined ? null : canonicalJson(plan), hash: planHash(operation.id, admitted.input, plan),
    // A change does not make people unnecessary who have been asked.
    reasons: asks ? decision.reasons : row.reasons, approvers: asks ? decision.approvers : row.approvers, times: timesOf(admitted.policyInput.org?.settings),
  };
}

import { ApprovalOutdated } from "../approvals/errors.ts";
import { isMet, stillCounting } from "../approvals/rules.ts";
import { approvalById, decisionsOf } from "../approvals/store.ts";
import type { ApprovalState } from "../approvals/types.ts";
import { DeclaredError } from "../errors.ts";
import { execute } from "./pipeline.ts";
import type { Call, Services } from "./services.ts";

/** What became of a request that people approved. */
export interface RunEnd {
  state: ApprovalState;
  failure?: { code: string; message: string };
}

/**
 * Runs what was approved as whoever asked: permission, policies and plan are asked for and compared again. Does nothing
 * where it has run. Throws what may go better another time.
 */
export async function runApproved(services: Services, { orgId, id, signal }: { orgId: string; id: string; signal: AbortSignal }): Promise<RunEnd> {
  const { row, decisions } = await services.database.snapshot(orgId, async (db) => ({ row: await approvalById(db, orgId, id), decisions: await decisionsOf(db, orgId, id) }));
  if (row === undefined) return { state: "failed", failure: { code: "approval-not-found", message: "The request is gone." } };
  if (row.state !== "approved") return { state: row.state };
  if (row.run_before !== null && row.run_before.getTime() <= services.clock.now()) {
    return { state: "expired", failure: { code: "approval-ended", message: "It was approved, and could not run before its time was over." } };
  }
  const operation = services.operations.get(row.operation);
  if (operation === undefined) return outdated(`There is no operation ${row.operation} any more.`);
  const actor = await services.approvals.actorOf(orgId, row.requester);
  if (actor === undefined) return outdated("Whoever asked for this is no member any more, or their key has ended.");
  const persons = await services.database.read(orgId, (db) => services.approvals.eligible(db, orgId, services.clock.now()));
  const standing = stillCounting(row.approvers, decisions.filter(({ revision }) => revision === row.revision), persons);
  if (!isMet(row.approvers, standing)) return outdated("Somebody who approved this has no role any more that may.");
  const call: Call = {
    door: row.door as Call["door"], requestId: row.request_id, credentials: {}, address: "local", input: JSON.parse(row.input), fromText: false, signal,
    ...(row.idempotency_key === null ? {} : { idempotencyKey: row.idempotency_key }),
    approved: { id, hash: row.hash.toString("hex"), actor, decisions: standing },
  };
  try {
    await execute(services, operation, call);
    return { state: "executed" };
  } catch (error) {
    if (!(error instanceof DeclaredError) || error.type.status >= 429) throw error;
    const failure = { code: error.type.code, message: error.message.slice(0, 2_000) };
    return { state: error.type === ApprovalOutdated || error.type.status === 403 ? "outdated" : "failed", failure };
  }
}

function outdated(message: string): RunEnd {
  return { state: "outdated", failure: { code: ApprovalOutdated.code, message } };
}

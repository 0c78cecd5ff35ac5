import { approvalForChange, approvalTypeId, end, escalated, markEscalated } from "../../../platform/approvals/index.ts";
import { timestamp } from "../../../platform/clock.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { stepHandler } from "../../../platform/workflow/index.ts";
import { lookAtRequest, runApprovedOperation } from "../workflows/follow-request.ts";

export const lookAtRequestHandler = stepHandler(lookAtRequest, {
  async handle(context, { approval }) {
    const { db, orgId, clock, events } = context;
    const row = await approvalForChange(db, orgId, uuidOf("apr", approval));
    if (row === undefined) return { state: "gone", waitSeconds: 0 };
    if (row.state !== "pending") return { state: row.state, waitSeconds: 0 };
    const now = clock.now();
    if (row.expires_at.getTime() <= now) {
      await end(db, context, row, "expired");
      return { state: "expired", waitSeconds: 0 };
    }
    if (row.escalated_at === null && row.escalate_at !== null && row.escalate_at.getTime() <= now) {
      await markEscalated(db, row, timestamp(clock));
      await events.append({ type: escalated, subject: approvalTypeId(row.id), data: { operation: row.operation, approvers: row.approvers } });
      return { state: "pending", waitSeconds: secondsUntil(row.expires_at, now) };
    }
    const next = row.escalated_at === null && row.escalate_at !== null ? row.escalate_at : row.expires_at;
    return { state: "pending", waitSeconds: secondsUntil(next, now) };
  },
});

/** A little over, so that what is due is due by any server's clock. */
function secondsUntil(time: Date, now: number): number {
  return Math.ceil((time.getTime() - now) / 1_000) + 1;
}

export const runApprovedHandler = stepHandler(runApprovedOperation, {
  async prepare({ orgId, attempt, signal, log, runApproved }, { approval }) {
    try {
      return await runApproved({ orgId, id: uuidOf("apr", approval), signal });
    } catch (error) {
      if (attempt < runApprovedOperation.retry.attempts) throw error;
      log.error({ err: error, approval }, "what was approved could not be run");
      return { state: "failed" as const, failure: { code: "internal", message: "It could not be run, in several attempts; the log says why." } };
    }
  },
  async handle(context, { approval }, { state, failure }) {
    if (state !== "expired" && state !== "outdated" && state !== "failed") return { state };
    const row = await approvalForChange(context.db, context.orgId, uuidOf("apr", approval));
    // Somebody else may have run it between the two.
    if (row?.state !== "approved") return { state: row?.state ?? "gone" };
    await end(context.db, context, row, state, failure);
    return { state };
  },
});

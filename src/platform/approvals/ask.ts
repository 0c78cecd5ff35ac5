import { actorId, type Actor } from "../actor.ts";
import { reasonCodes } from "../policy/decisions.ts";
import { timestamp, type Clock } from "../clock.ts";
import type { Db } from "../database/database.ts";
import { fail, IdempotencyMismatch } from "../errors.ts";
import type { EventAppender } from "../events/types.ts";
import { toTypeId, type Ids } from "../ids.ts";
import { canonicalJson } from "../operation/canonical.ts";
import { isConfirmed } from "../operation/confirmation.ts";
import type { PlanDecision } from "../policy/index.ts";
import type { Workflow } from "../workflow/declare.ts";
import type { Workflows } from "../workflow/types.ts";
import { end } from "./end.ts";
import { requested } from "./events.ts";
import { approvalById, insertApproval, pendingApproval, setRun, waitsForAnother, type ApprovalRow } from "./store.ts";
import type { ApprovalTimes, Requester } from "./types.ts";

export interface ApprovalPorts {
  clock: Clock;
  ids: Ids;
  events: EventAppender;
  workflows: Workflows;
  /** What waits for the decisions, and runs what was approved: `approvals.follow-request`. Its signal has it look again. */
  follow: Workflow;
}

export interface Asked {
  orgId: string;
  actor: Actor;
  operation: string;
  input: unknown;
  /** Undefined where the operation has no plan. */
  plan: unknown;
  /** Hex SHA-256 of operation, canonical input and plan. */
  hash: string;
  decision: Pick<PlanDecision, "reasons" | "approvers" | "excluded">;
  door: string;
  requestId: string;
  idempotencyKey?: string;
  times: ApprovalTimes;
}

export function approvalTypeId(id: string): string {
  return toTypeId("apr", id);
}

/** Has the request wait for people, in the caller's transaction. Who asks again for the same while it waits gets the same request. */
export async function askForApproval(db: Db, ports: ApprovalPorts, asked: Asked): Promise<ApprovalRow> {
  const { clock, ids, events, workflows, follow } = ports;
  const { orgId, actor, decision } = asked;
  const id = ids.uuid();
  const requesterId = actorId(actor);
  const hash = Buffer.from(asked.hash, "hex");
  const approvers = decision.approvers.map(({ role, count }) => ({ role, count })); // and nothing else that a policy may have put there
  if (asked.idempotencyKey !== undefined && (await waitsForAnother(db, { orgId, requesterId, operation: asked.operation, key: asked.idempotencyKey, input: canonicalJson(asked.input) }))) {
    fail(IdempotencyMismatch, "This idempotency key was used with another input, which waits for an approval. Use a new key for a new request.");
  }
  const inserted = await insertApproval(db, {
    orgId, id, hash, requesterId, operation: asked.operation, input: canonicalJson(asked.input), plan: asked.plan === undefined ? null : canonicalJson(asked.plan),
    reasons: decision.reasons, approvers, requesters: decision.excluded, requester: requesterOf(actor, clock.now()),
    door: asked.door, requestId: asked.requestId, idempotencyKey: asked.idempotencyKey ?? null, runId: id, ...timesFrom(clock, asked.times),
  });
  if (!inserted) {
    const waiting = await pendingApproval(db, orgId, requesterId, hash);
    if (waiting !== undefined && waiting.expires_at.getTime() > clock.now()) return waiting;
    // Nobody has written down that its time is over, where what waited for that was cancelled.
    if (waiting !== undefined) await end(db, ports, waiting, "expired");
    // Or it was decided in this moment. What was asked for is another request then.
    return askForApproval(db, ports, asked);
  }
  await setRun(db, orgId, id, await workflows.start(follow, { approval: approvalTypeId(id) }));
  await events.append({
    type: requested, subject: approvalTypeId(id),
    data: { operation: asked.operation, hash: asked.hash, reasons: reasonCodes(decision.reasons), approvers, ai: actor.ai },
  });
  const row = await approvalById(db, orgId, id);
  if (row === undefined) throw new Error("the approval request that was just made is not there");
  return row;
}

const hourMs = 3_600_000;

/** When a request that is made or changed now is told to others again, and when it lapses. */
export function timesFrom(clock: Clock, times: ApprovalTimes): { at: string; escalateAt: string; expiresAt: string } {
  const now = clock.now();
  return {
    at: timestamp(clock), escalateAt: new Date(now + times.escalatesAfterHours * hourMs).toISOString(), expiresAt: new Date(now + times.expiresAfterHours * hourMs).toISOString(),
  };
}

function requesterOf(actor: Actor, now: number): Requester {
  const { kind, userId, keyId, grant, ai, secondFactor } = actor;
  return {
    kind, ai, secondFactor, confirmed: isConfirmed(actor, now), granted: actor.permissions,
    ...(userId === undefined ? {} : { userId }), ...(keyId === undefined ? {} : { keyId }), ...(grant === undefined ? {} : { grant }),
  };
}

import { Type, type Static } from "typebox";
import type { Actor } from "../actor.ts";
import { approvalTypeId, askForApproval } from "../approvals/ask.ts";
import { ApprovalEnded, ApprovalOutdated } from "../approvals/errors.ts";
import { executed } from "../approvals/events.ts";
import { inWords, isMet } from "../approvals/rules.ts";
import { keepOutput, useUp, type DecisionRow } from "../approvals/store.ts";
import { usualTimes, type ApprovalTimes } from "../approvals/types.ts";
import { timestamp } from "../clock.ts";
import type { Db } from "../database/database.ts";
import { ApprovalUnavailable, fail } from "../errors.ts";
import type { EventAppender } from "../events/types.ts";
import { TypeId } from "../ids.ts";
import type { PlanDecision } from "../policy/index.ts";
import { whyNotApprovable } from "./approvable.ts";
import { planHash } from "./canonical.ts";
import type { Operation } from "./operation.ts";
import type { Call, Services } from "./services.ts";
import { originOf } from "./staging.ts";

/** An operation that people approved, as the platform runs it for who asked. */
export interface Approved {
  /** UUID of the request. */
  id: string;
  /** Hex; what they approved. */
  hash: string;
  /** As whom it runs, with what they may do now. */
  actor: Actor;
  /** Those that count. */
  decisions: readonly DecisionRow[];
}

export const ApproverRules = Type.Array(Type.Object({ role: Type.String(), count: Type.Integer({ minimum: 1 }) }), { description: "How many persons of which role must approve; an administrator counts for any role" });
export const ApprovalId = TypeId("apr", "Approval request");

/** The answer, with status 202, of what waits for people: nothing has been changed. */
export const ApprovalPending = Type.Object({
  approval: ApprovalId,
  state: Type.Literal("pending"),
  operation: Type.String(),
  hash: Type.String({ description: "SHA-256 of operation, canonical input and plan, in hex: what is approved" }),
  reasons: Type.Array(Type.String(), { description: "Why policies ask for it" }),
  approvers: ApproverRules,
  expiresAt: Type.String({ format: "date-time" }),
  message: Type.String(),
}, { description: "The request waits for people; nothing has been changed yet" });
export type ApprovalPending = Static<typeof ApprovalPending>;

interface Gated {
  actor: Actor;
  input: unknown;
  /** Undefined where the operation has none. */
  plan: unknown;
  decision: PlanDecision;
  settings: Readonly<Record<string, unknown>> | undefined;
}

/** Has it wait for people. Errors: ApprovalUnavailable. */
export async function askPeople(services: Services, operation: Operation, call: Call, { actor, input, plan, decision, settings }: Gated): Promise<ApprovalPending> {
  const { orgId } = actor;
  const why = orgId === undefined ? "the caller works in no organization" : whyNotApprovable(operation);
  if (orgId === undefined || why !== undefined) {
    fail(ApprovalUnavailable, `${operation.id} needs an approval here (${decision.reasons.join(", ")}), and none can be asked for: ${why ?? ""}. Somebody whom the policy lets do it has to run it.`, { reasons: decision.reasons });
  }
  const hash = planHash(operation.id, input, plan);
  const row = await services.database.tenant(orgId, async (db) => {
    const maker = actor.keyId === undefined ? undefined : await services.approvals.makerOf(db, orgId, actor.keyId);
    const excluded = [...new Set([...decision.excluded, ...(maker === undefined ? [] : [maker])])];
    const events = services.appender(db, originOf(services, operation, call, actor));
    const workflows = services.workflows(db, { orgId, starter: actor }, events);
    return askForApproval(db, { clock: services.clock, ids: services.ids, events, workflows, follow: services.approvals.follow }, {
      orgId, actor, operation: operation.id, input, plan, hash, decision: { ...decision, excluded }, door: call.door, requestId: call.requestId, times: timesOf(settings),
      ...(call.idempotencyKey === undefined ? {} : { idempotencyKey: call.idempotencyKey }),
    });
  });
  const approval = approvalTypeId(row.id);
  return {
    approval, hash, state: "pending", operation: operation.id, reasons: row.reasons, approvers: row.approvers, expiresAt: row.expires_at.toISOString(),
    message: `${operation.id} has not run: it needs the approval of ${inWords(row.approvers)} (${row.reasons.join(", ")}). It runs by itself when they have approved; \`qinfra approvals get ${approval}\` shows how it stands.`,
  };
}

/** What an organization's settings say of times. */
export function timesOf(settings: Readonly<Record<string, unknown>> | undefined): ApprovalTimes {
  const own = settings?.["approvals"] as Partial<ApprovalTimes> | undefined;
  const times = { ...usualTimes, ...own };
  return { ...times, escalatesAfterHours: Math.min(times.escalatesAfterHours, times.expiresAfterHours) };
}

/** What people approved is what would run now, and they are still enough. Errors: ApprovalOutdated. */
export function checkApproved(approved: Approved, operation: Operation, { input, plan, decision }: Gated): void {
  if (planHash(operation.id, input, plan) !== approved.hash) {
    fail(ApprovalOutdated, `What ${operation.id} would do now is not what was approved: what it names has changed since. Ask again; the new request shows what it would do.`);
  }
  if (decision.decision === "approve" && !isMet(decision.approvers, approved.decisions)) {
    fail(ApprovalOutdated, `A policy asks for more now than when ${operation.id} was approved: ${inWords(decision.approvers)} (${decision.reasons.join(", ")}). Ask again.`);
  }
}

/** The same key was answered since, by another approval or where none was needed any more; this one is not used up by that. */
export function ranBefore(operation: Operation): never {
  fail(ApprovalOutdated, `${operation.id} has run since with the same idempotency key, so that it does not run again.`);
}

/** In the transaction of the change: an approval is good once. Errors: ApprovalEnded. */
export async function consume(services: Services, db: Db, orgId: string, approved: Approved): Promise<void> {
  const used = await useUp(db, { orgId, id: approved.id, hash: Buffer.from(approved.hash, "hex"), at: timestamp(services.clock) });
  if (!used) fail(ApprovalEnded, `${approvalTypeId(approved.id)} has been used, or its time is over.`);
}

const mostOutput = 256 * 1024;

export async function noteExecuted(db: Db, orgId: string, { id, hash }: Approved, operation: Operation, output: unknown, events: EventAppender): Promise<void> {
  const text = JSON.stringify(output ?? null);
  if (text.length <= mostOutput) await keepOutput(db, orgId, id, text);
  await events.append({ type: executed, subject: approvalTypeId(id), orgId, data: { operation: operation.id, hash } });
}

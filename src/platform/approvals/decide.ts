import { actorId, actorTypeId, type Actor } from "../actor.ts";
import { timestamp } from "../clock.ts";
import type { Db } from "../database/database.ts";
import { ConfirmationNeeded, DeclaredError, fail } from "../errors.ts";
import { toTypeId } from "../ids.ts";
import { confirmationMs, isConfirmed } from "../operation/confirmation.ts";
import { approvalTypeId, type ApprovalPorts } from "./ask.ts";
import { delegatorsOf } from "./delegation-store.ts";
import { ApprovalChanged, ApprovalDecided, ApprovalEnded, ApprovalNotFound, ApproverNotEligible, ReasonNeeded } from "./errors.ts";
import { end } from "./end.ts";
import { commented, decided } from "./events.ts";
import { isMet, soleAfterMs, solePerson, standingOf, stillCounting } from "./rules.ts";
import { approvalForChange, countComments, decisionsOf, insertComment, insertDecision, markApproved, runListens, setRun, type ApprovalRow } from "./store.ts";
import type { Eligible } from "./types.ts";

/** Who may decide by their role in the organization, or could since that moment (milliseconds since 1970). */
export type EligiblePersons = (db: Db, orgId: string, since: number) => Promise<Eligible[]>;

export interface DecisionAsked {
  orgId: string;
  actor: Actor;
  /** UUID. */
  id: string;
  /** Hex; what the person saw. */
  hash: string;
  decision: "approve" | "reject";
  reason?: string;
}

/** How long what was approved may still run where its time is nearly over, or the server was away. */
const graceMs = 3_600_000;

/**
 * A person's decision on exactly what they saw. One no ends the request; enough yes have it run. Errors: ApprovalNotFound,
 * ApprovalEnded, ApprovalChanged, ApprovalDecided, ApproverNotPerson, ApproverServed, ApproverNotEligible, ReasonNeeded, ConfirmationNeeded.
 */
export async function decide(db: Db, ports: ApprovalPorts, people: EligiblePersons, asked: DecisionAsked): Promise<ApprovalRow> {
  const { clock, events } = ports;
  const { orgId, actor, decision } = asked;
  const row = await pendingForChange(db, ports, orgId, asked.id);
  if (row.hash.toString("hex") !== asked.hash) {
    fail(ApprovalChanged, `The hash that you name is not that of ${approvalTypeId(row.id)} as it stands (revision ${row.revision}). Read it again, and decide on what it says now.`, { revision: row.revision });
  }
  const at = timestamp(clock);
  const eligible = await people(db, orgId, clock.now() - soleAfterMs);
  const before = (await decisionsOf(db, orgId, row.id)).filter((one) => one.revision === row.revision);
  const standing = standingOf({
    actor, rule: row.approvers, served: row.requesters, eligible, delegated: await delegatedTo(db, row, actor, eligible, at), voted: before.map((one) => one.counts_for),
  });
  if (standing.sole && decision === "approve") confirmedAlone(actor, asked.reason, clock.now());
  const selfApproved = standing.sole && decision === "approve" && row.requesters.includes(standing.countsFor);
  const vote = { userId: actorId(actor), countsFor: standing.countsFor, role: standing.role, decision, sole: standing.sole };
  if (!(await insertDecision(db, row, { ...vote, reason: asked.reason ?? null, at }))) {
    fail(ApprovalDecided, standing.countsFor === actor.userId ? "You have decided on this already; each person counts once." : "The person for whom you decide has been counted already.");
  }
  const votes = [...stillCounting(row.approvers, before, eligible).map((one) => ({ ...one, countsFor: one.counts_for, userId: one.user_id })), vote];
  const state = decision === "reject" ? "rejected" : isMet(row.approvers, votes) ? "approved" : "pending";
  await events.append({
    type: decided, subject: approvalTypeId(row.id),
    data: { operation: row.operation, hash: asked.hash, revision: row.revision, decision, role: standing.role, countsFor: toTypeId("usr", standing.countsFor), selfApproved, state },
  });
  if (state === "approved") await markApproved(db, row, { selfApproved, at, runBefore: new Date(Math.max(row.expires_at.getTime(), clock.now() + graceMs)).toISOString() });
  if (state === "rejected") await end(db, ports, row, "rejected");
  if (state !== "pending") await wake(db, ports, row);
  return { ...row, state, self_approved: selfApproved };
}

function confirmedAlone(actor: Actor, reason: string | undefined, now: number): void {
  if (reason === undefined) fail(ReasonNeeded, "You are the only person who could decide on this, so that nobody checks you: say why with `reason`, which is recorded.");
  if (isConfirmed(actor, now)) return;
  fail(ConfirmationNeeded, `You are the only person who could decide on this, which asks for a second factor given in the last ${confirmationMs / 60_000} minutes: run \`qinfra confirm\`, or confirm it on your account page, then repeat it.`);
}

/** What was delegated by those who still have a role themselves. The only person who can decide does so in person. */
export async function delegatedTo(db: Db, row: ApprovalRow, actor: Actor, eligible: readonly Eligible[], at: string): Promise<{ from: string; role: string }[]> {
  if (actor.userId === undefined) return [];
  const sole = solePerson(row.approvers, eligible);
  const from = await delegatorsOf(db, row.org_id, { to: actor.userId, operation: row.operation, at });
  return eligible.filter(({ userId, until }) => until === undefined && userId !== sole && from.includes(userId)).map(({ userId, role }) => ({ from: userId, role }));
}

/** Takes a request back. Whoever asked may, and an administrator. Errors: ApprovalNotFound, ApprovalEnded, ApproverNotEligible. */
export async function withdraw(db: Db, ports: ApprovalPorts, asked: { orgId: string; actor: Actor; id: string }): Promise<ApprovalRow> {
  const row = await pendingForChange(db, ports, asked.orgId, asked.id);
  const own = [asked.actor.userId, asked.actor.keyId].some((id) => id !== undefined && row.requesters.includes(id));
  if (!own && !asked.actor.roles.includes("admin")) fail(ApproverNotEligible, "Only who asked for this takes it back, or an administrator; to refuse it, reject it.");
  await end(db, ports, row, "withdrawn");
  await wake(db, ports, row);
  return { ...row, state: "withdrawn" };
}

const mostComments = 1_000;

/** Errors: ApprovalNotFound, ApprovalEnded. */
export async function comment(db: Db, ports: ApprovalPorts, asked: { orgId: string; actor: Actor; id: string; text: string }): Promise<string> {
  const { orgId, actor } = asked;
  const row = await approvalForChange(db, orgId, asked.id);
  if (row === undefined) notThere(asked.id);
  if ((await countComments(db, orgId, row.id)) >= mostComments) fail(ApprovalEnded, `There are ${mostComments} comments on this request already, and no more are kept.`);
  const id = ports.ids.uuid();
  await insertComment(db, row, { id, authorId: actorId(actor), authorKind: actorTypeId(actor).slice(0, 3), ai: actor.ai, text: asked.text, at: timestamp(ports.clock) });
  await ports.events.append({ type: commented, subject: approvalTypeId(row.id), data: { operation: row.operation, revision: row.revision } });
  return id;
}

/** Locked, and waiting still. One whose time is over is over, whether or not its end has been written down. */
export async function pendingForChange(db: Db, { clock }: Pick<ApprovalPorts, "clock">, orgId: string, id: string): Promise<ApprovalRow> {
  const row = await approvalForChange(db, orgId, id);
  if (row === undefined) notThere(id);
  if (row.state !== "pending") fail(ApprovalEnded, `${approvalTypeId(id)} is ${row.state}; nothing is decided on it any more.`, { state: row.state });
  if (row.expires_at.getTime() <= clock.now()) fail(ApprovalEnded, `${approvalTypeId(id)} waited until ${row.expires_at.toISOString()} and has expired; whoever needs it asks again.`, { state: "expired" });
  return row;
}

export function notThere(id: string): never {
  throw new DeclaredError(ApprovalNotFound, `There is no approval request ${approvalTypeId(id)} in this organization; qinfra approvals list shows what there is.`);
}

/** What waits looks again. Somebody may have cancelled it; a request that people decided on is not lost with it. */
export async function wake(db: Db, { workflows, follow }: ApprovalPorts, row: ApprovalRow): Promise<void> {
  const [changed] = follow.signals;
  if (changed === undefined) throw new Error(`${follow.id} hears no signal`);
  if (await runListens(db, row.org_id, row.run_id)) return workflows.signal(row.run_id, changed, {});
  await setRun(db, row.org_id, row.id, await workflows.start(follow, { approval: approvalTypeId(row.id) }));
}

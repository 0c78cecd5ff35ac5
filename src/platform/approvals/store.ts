import type { Db } from "../database/database.ts";
import { sql } from "../database/sql.ts";
import type { ApprovalState, ApproverRule, Decision, Requester } from "./types.ts";

export interface ApprovalRow {
  org_id: string;
  id: string;
  operation: string;
  revision: number;
  input: string;
  plan: string | null;
  hash: Buffer;
  state: ApprovalState;
  reasons: string[];
  approvers: ApproverRule[];
  requester: Requester;
  requester_id: string;
  requesters: string[];
  door: string;
  request_id: string;
  idempotency_key: string | null;
  run_id: string;
  self_approved: boolean;
  output: string | null;
  failure: { code: string; message: string } | null;
  created_at: Date;
  escalate_at: Date | null;
  escalated_at: Date | null;
  expires_at: Date;
  decided_at: Date | null;
  run_before: Date | null;
  ended_at: Date | null;
}

const columns = sql`org_id, id, operation, revision, input, plan, hash, state, reasons, approvers, requester, requester_id, requesters, door, request_id, idempotency_key, run_id,
  self_approved, output, failure, created_at, escalate_at, escalated_at, expires_at, decided_at, run_before, ended_at`;

export interface NewApproval {
  orgId: string;
  id: string;
  operation: string;
  input: string;
  plan: string | null;
  hash: Buffer;
  reasons: readonly string[];
  approvers: readonly ApproverRule[];
  requester: Requester;
  requesterId: string;
  requesters: readonly string[];
  door: string;
  requestId: string;
  idempotencyKey: string | null;
  runId: string;
  at: string;
  escalateAt: string;
  expiresAt: string;
}

/** False where the same requester waits for the same already. */
export async function insertApproval(db: Db, row: NewApproval): Promise<boolean> {
  const inserted = await db.run(sql`
    insert into platform.approvals (org_id, id, operation, input, plan, hash, state, reasons, approvers, requester, requester_id, requesters, door, request_id, idempotency_key, run_id, created_at, escalate_at, expires_at)
    values (${row.orgId}, ${row.id}, ${row.operation}, ${row.input}, ${row.plan}, ${row.hash}, 'pending', ${[...row.reasons]}::text[], ${JSON.stringify(row.approvers)}, ${JSON.stringify(row.requester)},
      ${row.requesterId}, ${[...row.requesters]}::uuid[], ${row.door}, ${row.requestId}, ${row.idempotencyKey}, ${row.runId}, ${row.at}, ${row.escalateAt}, ${row.expiresAt})
    on conflict (org_id, requester_id, hash) where state = 'pending' do nothing`);
  return inserted === 1;
}

export function approvalById(db: Db, orgId: string, id: string): Promise<ApprovalRow | undefined> {
  return db.maybe<ApprovalRow>(sql`select ${columns} from platform.approvals where org_id = ${orgId} and id = ${id}`);
}

/** Locked until the end of the transaction: decisions come one after the other. */
export function approvalForChange(db: Db, orgId: string, id: string): Promise<ApprovalRow | undefined> {
  return db.maybe<ApprovalRow>(sql`select ${columns} from platform.approvals where org_id = ${orgId} and id = ${id} for update`);
}

export function pendingApproval(db: Db, orgId: string, requesterId: string, hash: Buffer): Promise<ApprovalRow | undefined> {
  return db.maybe<ApprovalRow>(sql`select ${columns} from platform.approvals where org_id = ${orgId} and requester_id = ${requesterId} and hash = ${hash} and state = 'pending' for update`);
}

/** Whether the key stands for another input that waits. */
export async function waitsForAnother(db: Db, asked: { orgId: string; requesterId: string; operation: string; key: string; input: string }): Promise<boolean> {
  return (await db.maybe(sql`
    select 1 from platform.approvals
    where org_id = ${asked.orgId} and requester_id = ${asked.requesterId} and operation = ${asked.operation} and idempotency_key = ${asked.key} and input <> ${asked.input} and state in ('pending', 'approved') limit 1`)) !== undefined;
}

export interface ApprovalFilter {
  state?: ApprovalState;
  operation?: string;
  /** UUID of a user or key. */
  requester?: string;
  after?: string;
  limit: number;
}

/** The newest first. */
export function listApprovals(db: Db, { state, operation, requester, after, limit }: ApprovalFilter): Promise<ApprovalRow[]> {
  return db.many<ApprovalRow>(sql`
    select ${columns} from platform.approvals
    where (${state ?? null}::text is null or state = ${state ?? null}) and (${operation ?? null}::text is null or operation = ${operation ?? null})
      and (${requester ?? null}::uuid is null or ${requester ?? null} = any (requesters)) and (${after ?? null}::uuid is null or id < ${after ?? null})
    order by id desc limit ${limit}`);
}

/** Whether the run that waits will hear of it: it has not ended, and nobody has cancelled it, which it may not know yet. Locks it. */
export async function runListens(db: Db, orgId: string, runId: string): Promise<boolean> {
  return (await db.maybe(sql`
    select 1 from platform.workflow_runs where org_id = ${orgId} and id = ${runId} and state in ('waiting', 'running') and cancelled_at is null for update`)) !== undefined;
}

/** Open requests of all organizations whose runs have ended or were cancelled. */
export function unfollowed(db: Db, limit: number): Promise<{ org_id: string; id: string }[]> {
  return db.many(sql`
    select a.org_id, a.id from platform.approvals a
    where a.state in ('pending', 'approved') and not exists (
      select 1 from platform.workflow_runs r where r.org_id = a.org_id and r.id = a.run_id and r.state in ('waiting', 'running') and r.cancelled_at is null)
    limit ${limit}`);
}

export async function setRun(db: Db, orgId: string, id: string, runId: string): Promise<void> {
  await db.run(sql`update platform.approvals set run_id = ${runId} where org_id = ${orgId} and id = ${id}`);
}

export async function markApproved(db: Db, row: ApprovalRow, { selfApproved, at, runBefore }: { selfApproved: boolean; at: string; runBefore: string }): Promise<void> {
  await db.run(sql`update platform.approvals set state = 'approved', self_approved = ${selfApproved}, decided_at = ${at}, run_before = ${runBefore} where org_id = ${row.org_id} and id = ${row.id}`);
}

export async function markEscalated(db: Db, row: ApprovalRow, at: string): Promise<void> {
  await db.run(sql`update platform.approvals set escalated_at = ${at} where org_id = ${row.org_id} and id = ${row.id}`);
}

export async function markEnded(db: Db, row: Pick<ApprovalRow, "org_id" | "id">, end: { state: ApprovalState; at: string; failure?: { code: string; message: string } }): Promise<void> {
  await db.run(sql`
    update platform.approvals set state = ${end.state}, ended_at = ${end.at}, failure = ${end.failure === undefined ? null : JSON.stringify(end.failure)},
      decided_at = coalesce(decided_at, case when ${end.state} = 'rejected' then ${end.at}::timestamptz end)
    where org_id = ${row.org_id} and id = ${row.id}`);
}

/** Uses an approval up: true once, and only for what it was given for. */
export async function useUp(db: Db, approval: { orgId: string; id: string; hash: Buffer; at: string }): Promise<boolean> {
  const used = await db.run(sql`
    update platform.approvals set state = 'executed', ended_at = ${approval.at}
    where org_id = ${approval.orgId} and id = ${approval.id} and state = 'approved' and hash = ${approval.hash} and run_before > ${approval.at}`);
  return used === 1;
}

export async function keepOutput(db: Db, orgId: string, id: string, output: string): Promise<void> {
  await db.run(sql`update platform.approvals set output = ${output} where org_id = ${orgId} and id = ${id}`);
}

export interface Modification {
  input: string;
  plan: string | null;
  hash: Buffer;
  reasons: readonly string[];
  approvers: readonly ApproverRule[];
  /** Whom it serves besides. */
  served: readonly string[];
  ai: boolean;
  escalateAt: string;
  expiresAt: string;
}

export async function modify(db: Db, row: ApprovalRow, to: Modification): Promise<void> {
  const served = [...new Set([...row.requesters, ...to.served])];
  await db.run(sql`
    update platform.approvals set revision = revision + 1, input = ${to.input}, plan = ${to.plan}, hash = ${to.hash}, reasons = ${[...to.reasons]}::text[], approvers = ${JSON.stringify(to.approvers)},
      requesters = ${served}::uuid[], requester = ${JSON.stringify({ ...row.requester, ai: to.ai })}, idempotency_key = null, escalate_at = ${to.escalateAt}, escalated_at = null, expires_at = ${to.expiresAt}
    where org_id = ${row.org_id} and id = ${row.id}`);
}

export interface DecisionRow {
  revision: number;
  user_id: string;
  counts_for: string;
  role: string;
  decision: "approve" | "reject";
  sole: boolean;
  reason: string | null;
  created_at: Date;
}

/** Of all revisions, the oldest first. */
export function decisionsOf(db: Db, orgId: string, id: string): Promise<DecisionRow[]> {
  return db.many<DecisionRow>(sql`
    select revision, user_id, counts_for, role, decision, sole, reason, created_at from platform.approval_decisions
    where org_id = ${orgId} and approval_id = ${id} order by created_at, user_id`);
}

/** False where this person, or the person whose vote it is, has decided on this revision. */
export async function insertDecision(db: Db, row: ApprovalRow, decision: Decision & { reason: string | null; at: string }): Promise<boolean> {
  const inserted = await db.run(sql`
    insert into platform.approval_decisions (org_id, approval_id, revision, user_id, counts_for, role, decision, hash, sole, reason, created_at)
    values (${row.org_id}, ${row.id}, ${row.revision}, ${decision.userId}, ${decision.countsFor}, ${decision.role}, ${decision.decision}, ${row.hash}, ${decision.sole}, ${decision.reason}, ${decision.at})
    on conflict do nothing`);
  return inserted === 1;
}

export interface CommentRow {
  id: string;
  revision: number;
  author_id: string;
  author_kind: string;
  ai: boolean;
  text: string | null;
  created_at: Date;
}

export async function insertComment(db: Db, row: ApprovalRow, comment: { id: string; authorId: string; authorKind: string; ai: boolean; text: string; at: string }): Promise<void> {
  await db.run(sql`
    insert into platform.approval_comments (org_id, id, approval_id, revision, author_id, author_kind, ai, text, created_at)
    values (${row.org_id}, ${comment.id}, ${row.id}, ${row.revision}, ${comment.authorId}, ${comment.authorKind}, ${comment.ai}, ${comment.text}, ${comment.at})`);
}

/** The oldest first, at most 1,000. */
export function commentsOf(db: Db, orgId: string, id: string): Promise<CommentRow[]> {
  return db.many<CommentRow>(sql`
    select id, revision, author_id, author_kind, ai, text, created_at from platform.approval_comments where org_id = ${orgId} and approval_id = ${id} order by created_at, id limit 1000`);
}

export async function countComments(db: Db, orgId: string, id: string): Promise<number> {
  return (await db.one<{ n: number }>(sql`select count(*)::int as n from platform.approval_comments where org_id = ${orgId} and approval_id = ${id}`)).n;
}

/** What a person wrote goes with them; that they decided stays. */
export async function eraseWordsOf(db: Db, userId: string): Promise<void> {
  await db.run(sql`update platform.approval_comments set text = null where author_id = ${userId}`);
  await db.run(sql`update platform.approval_decisions set reason = null where user_id = ${userId}`);
}

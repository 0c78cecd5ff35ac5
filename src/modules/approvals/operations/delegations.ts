import { Type } from "typebox";
import { delegated, delegationEnded, DelegationInvalid, delegationForChange, DelegationNotFound, endDelegation, insertDelegation, listDelegations, soleAfterMs } from "../../../platform/approvals/index.ts";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { toTypeId, uuidOf } from "../../../platform/ids.ts";
import { ApproverNotPerson } from "../../../platform/approvals/index.ts";
import { fromCursor, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { MemberNotFound, UserId } from "../../organizations/index.ts";
import { Delegation, DelegationId, OperationName } from "../schemas.ts";
import { shownDelegation } from "../shown.ts";

const longestMs = 90 * 24 * 3_600_000;
const noTool = { mcp: "An AI actor decides on no approval, and says nothing of who does." };

export const delegate = operation({
  id: "approvals.delegate",
  http: "POST /api/v1/approval-delegations",
  cli: { name: "approvals delegate", positional: ["to"] },
  summary: "Let another member decide for you, for a time",
  description: "Their decision counts as yours, once, and never on what serves you. They need the permission of the operation themselves, and cannot pass it on.",
  permission: "approvals:decide",
  effect: "change",
  creates: true,
  without: noTool,
  input: Type.Object({
    to: UserId,
    operations: Type.Optional(Type.Array(OperationName, { minItems: 1, maxItems: 100, uniqueItems: true, description: "Only for these; without it for all" })),
    startsAt: Type.Optional(Type.String({ format: "date-time", maxLength: 40, description: "Now, without it" })),
    endsAt: Type.String({ format: "date-time", maxLength: 40, description: "At most 90 days after the start" }),
  }),
  output: Delegation,
  errors: [DelegationInvalid, MemberNotFound, ApproverNotPerson],
  examples: [{ input: { to: "usr_01jd0000000000000000000000", endsAt: "2026-12-31T18:00:00Z" } }],
  prepare: async ({ eligible }) => ({ eligible }),
  async handle({ db, orgId, actor, clock, ids, events }, { to, operations, startsAt, endsAt }, { eligible }) {
    if (actor.ai || actor.kind !== "user" || actor.userId === undefined) fail(ApproverNotPerson, "A person delegates, signed in as themselves: sign in with `qinfra login`, or in a browser.");
    const from = actor.userId;
    const toUser = uuidOf("usr", to);
    if (toUser === from) fail(DelegationInvalid, "/to: is you; name another member");
    const persons = await eligible(db, orgId, clock.now() - soleAfterMs);
    if (!persons.some(({ userId, until }) => userId === toUser && until === undefined)) fail(MemberNotFound, `There is no person ${to} who is a member of this organization; \`qinfra members list\` shows who is.`);
    const start = startsAt === undefined ? clock.now() : Date.parse(startsAt);
    const end = Date.parse(endsAt);
    if (end <= Math.max(start, clock.now())) fail(DelegationInvalid, "/endsAt: is not after the start, or is past");
    if (end - start > longestMs) fail(DelegationInvalid, "/endsAt: is more than 90 days after the start");
    const row = { id: ids.uuid(), from_user: from, to_user: toUser, operations: operations ?? null, starts_at: new Date(start), ends_at: new Date(end), created_at: new Date(clock.now()), ended_at: null };
    await insertDelegation(db, { orgId, id: row.id, from, to: toUser, operations: row.operations, startsAt: row.starts_at.toISOString(), endsAt: row.ends_at.toISOString(), at: timestamp(clock) });
    await events.append({ type: delegated, subject: toTypeId("dlg", row.id), data: { from: toTypeId("usr", from), to, startsAt: row.starts_at.toISOString(), endsAt: row.ends_at.toISOString() } });
    return shownDelegation(row);
  },
});

export const listAllDelegations = operation({
  id: "approvals.list-delegations",
  http: "GET /api/v1/approval-delegations",
  cli: { name: "approvals delegations", columns: ["id", "from", "to", "startsAt", "endsAt", "endedAt"] },
  summary: "List who lets whom decide, newest first",
  permission: "approvals:read",
  effect: "read",
  input: Type.Object({ current: Type.Optional(Type.Boolean({ description: "Only those that have not ended" })), ...paging }),
  output: Page(Delegation),
  examples: [{ input: { current: true } }],
  async handle({ db, clock }, { current, cursor, limit = 100 }) {
    const after = fromCursor(cursor, /^dlg_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
    const rows = await listDelegations(db, { limit: limit + 1, ...(after === undefined ? {} : { after: uuidOf("dlg", after) }), ...(current === true ? { at: timestamp(clock) } : {}) });
    return pageOf(rows.map(shownDelegation), limit, (row) => row.id);
  },
});

export const takeBackDelegation = operation({
  id: "approvals.end-delegation",
  http: "DELETE /api/v1/approval-delegations/{id}",
  cli: { name: "approvals end-delegation", positional: ["id"] },
  summary: "Take a delegation back, or give it back",
  permission: "approvals:write",
  effect: "change",
  without: noTool,
  input: Type.Object({ id: DelegationId }),
  output: Delegation,
  errors: [DelegationNotFound],
  examples: [{ input: { id: "dlg_01jd0000000000000000000000" } }],
  async handle({ db, actor, clock, events }, { id }) {
    const row = await delegationForChange(db, uuidOf("dlg", id));
    const theirs = row !== undefined && (actor.roles.includes("admin") || actor.userId === row.from_user || actor.userId === row.to_user);
    if (row === undefined || !theirs) fail(DelegationNotFound, `There is no delegation ${id} of yours in this organization; qinfra approvals delegations shows what there is.`);
    if (row.ended_at !== null) return shownDelegation(row);
    const at = timestamp(clock);
    await endDelegation(db, row.id, at);
    await events.append({ type: delegationEnded, subject: id, data: { from: toTypeId("usr", row.from_user), to: toTypeId("usr", row.to_user) } });
    return shownDelegation({ ...row, ended_at: new Date(at) });
  },
});

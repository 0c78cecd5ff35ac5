import { Type } from "typebox";
import {
  ApprovalChanged, approvalById, ApprovalEnded, ApprovalNotFound, ApprovalOutdated, comment, modified, approvalTypeId, modify, notThere, pendingApproval, pendingForChange, wake,
} from "../../../platform/approvals/index.ts";
import { fail } from "../../../platform/errors.ts";
import { toTypeId, uuidOf } from "../../../platform/ids.ts";
import { timesFrom } from "../../../platform/approvals/ask.ts";
import { operation } from "../../../platform/operation/index.ts";
import { Approval, ApprovalId, Hash, Words } from "../schemas.ts";
import { shownApproval } from "../shown.ts";
import { portsOf } from "./decide.ts";

const example = "apr_01jd0000000000000000000000";

export const commentOnRequest = operation({
  id: "approvals.comment",
  http: "POST /api/v1/approvals/{id}/comments",
  cli: { name: "approvals comment", positional: ["id", "text"] },
  summary: "Comment on a request",
  permission: "approvals:write",
  effect: "change",
  creates: true,
  input: Type.Object({ id: ApprovalId, text: Words("What you have to say") }),
  output: Type.Object({ comment: Type.String({ description: "Id of the comment" }) }),
  errors: [ApprovalNotFound, ApprovalEnded],
  examples: [{ input: { id: example, text: "Which hosts are in the first wave?" } }],
  prepare: async ({ follow }) => ({ follow }),
  async handle(context, { id, text }, staged) {
    const { db, orgId, actor } = context;
    return { comment: toTypeId("acm", await comment(db, portsOf(context, staged), { orgId, actor, id: uuidOf("apr", id), text })) };
  },
});

export const modifyRequest = operation({
  id: "approvals.modify",
  http: "POST /api/v1/approvals/{id}/modify",
  cli: { name: "approvals modify", positional: ["id", "hash"] },
  summary: "Change what a waiting request would do",
  description: "It is planned anew with the whole input that you give, has another hash, and earlier decisions lapse. You count as a requester from then on, and need the permission of the operation.",
  permission: "approvals:write",
  effect: "change",
  input: Type.Object({
    id: ApprovalId, hash: Hash,
    input: Type.Object({}, { additionalProperties: true, maxProperties: 200, description: "The operation's whole input" }),
  }),
  output: Approval,
  errors: [ApprovalNotFound, ApprovalEnded, ApprovalChanged, ApprovalOutdated],
  examples: [{ input: { id: example, hash: "0".repeat(64), input: { id: "img_01jd0000000000000000000000" } } }],
  prepare: async ({ replan, follow }, { id, input }) => ({ follow, planned: await replan(uuidOf("apr", id), input) }),
  async handle(context, { id, hash }, { follow, planned }) {
    const { db, orgId, clock, events } = context;
    const uuid = uuidOf("apr", id);
    const row = await pendingForChange(db, context, orgId, uuid);
    if (row.revision !== planned.revision || row.hash.toString("hex") !== hash) fail(ApprovalChanged, `${id} is not what you read any more (revision ${row.revision}). Read it again, and repeat your change on what it says now.`, { revision: row.revision });
    const same = await pendingApproval(db, orgId, row.requester_id, Buffer.from(planned.hash, "hex"));
    if (same !== undefined && same.id !== row.id) fail(ApprovalChanged, `${approvalTypeId(same.id)} waits for exactly that already; decide on it, and take this one back.`);
    const { escalateAt, expiresAt } = timesFrom(clock, planned.times);
    await modify(db, row, { ...planned, hash: Buffer.from(planned.hash, "hex"), escalateAt, expiresAt });
    await events.append({ type: modified, subject: id, data: { operation: row.operation, hash: planned.hash, revision: row.revision + 1 } });
    await wake(db, portsOf(context, { follow }), row);
    return shownApproval((await approvalById(db, orgId, uuid)) ?? notThere(uuid), false);
  },
});

import { Type, type Static, type TSchema } from "typebox";
import { TypeId } from "../../platform/ids.ts";
import { ApprovalId, ApproverRules } from "../../platform/operation/index.ts";
import { approvalStates } from "../../platform/approvals/index.ts";

export { ApprovalId };
export const DelegationId = TypeId("dlg", "Delegation of approvals");
export const Hash = Type.String({ pattern: "^[0-9a-f]{64}$", maxLength: 64, description: "Hash of the request as you read it; where it has changed since, nothing is decided" });
export const OperationName = Type.String({ pattern: "^[a-z][a-z-]{0,60}\\.[a-z][a-z-]{0,60}$", maxLength: 130, description: "Id of an operation", examples: ["images.delete"] });
export const Words = (description: string) => Type.String({ minLength: 1, maxLength: 2_000, pattern: "\\S", description });
const Time = Type.String({ format: "date-time" });
const Maybe = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Who = Type.String({ description: "TypeID of a user or key" });

export const StateName = Type.Enum([...approvalStates], {
  description: "`approved`: it is about to run; `outdated`: when it was to run the world had changed, or a permission or policy; `failed`: it ran and was refused",
});

export const Approval = Type.Object({
  id: ApprovalId,
  operation: Type.String(),
  about: Maybe(Type.String({ description: "What it names, in short; null where you lack the permission of the operation" })),
  state: StateName,
  revision: Type.Integer({ minimum: 1, description: "Counts the modifications" }),
  hash: Type.String({ description: "SHA-256 of operation, canonical input and plan, in hex" }),
  reasons: Type.Array(Type.String(), { description: "Why policies ask for it" }),
  approvers: ApproverRules,
  requestedBy: Who,
  ai: Type.Boolean({ description: "An AI actor asked" }),
  createdAt: Time,
  escalatedAt: Maybe(Time),
  expiresAt: Time,
  decidedAt: Maybe(Time),
  endedAt: Maybe(Time),
  selfApproved: Type.Boolean({ description: "The only person who could decide confirmed what serves them" }),
  failure: Maybe(Type.Object({ code: Type.String(), message: Type.String() })),
});
export type Approval = Static<typeof Approval>;

export const Decision = Type.Object({
  revision: Type.Integer(), by: Who, countsFor: Type.String({ description: "The person whose vote it is: another one where it was delegated" }), role: Type.String(),
  decision: Type.Enum(["approve", "reject"]), lapsed: Type.Boolean({ description: "It was about an earlier revision" }),
  sole: Type.Boolean({ description: "By the only person who could decide, with a second factor" }), reason: Maybe(Type.String()), at: Time,
});

export const ApprovalWithAll = Type.Object({
  ...Approval.properties,
  requesters: Type.Array(Who, { description: "Whom it serves, and who changed it: none of them decides" }),
  hidden: Type.Boolean({ description: "You lack the permission of the operation, so input, plan and output are not shown" }),
  input: Type.Unknown(),
  plan: Type.Unknown(),
  output: Type.Unknown(),
  run: Type.String({ description: "The run that waits for the decisions" }),
  needed: Type.Integer({ description: "Decisions that it needs" }),
  possible: Type.Integer({ description: "Persons there are who could give one; fewer than needed means that it cannot be approved" }),
  you: Type.Object({ mayDecide: Type.Boolean(), why: Maybe(Type.String({ description: "Why not" })) }),
  decisions: Type.Array(Decision),
  comments: Type.Array(Type.Object({ revision: Type.Integer(), by: Who, ai: Type.Boolean(), text: Maybe(Type.String({ description: "Null where its author was erased" })), at: Time })),
});

export const Delegation = Type.Object({
  id: DelegationId, from: Who, to: Who, operations: Maybe(Type.Array(Type.String(), { description: "Null: all" })), startsAt: Time, endsAt: Time, endedAt: Maybe(Time),
});

export const Rule = Type.Object({
  operation: Type.String(), summary: Type.String(), permission: Type.String(), effect: Type.String(),
  approvers: ApproverRules, approvable: Type.Boolean(), why: Maybe(Type.String({ description: "Why nobody can be asked to approve it" })),
});

import { Type } from "typebox";
import { operation } from "../../../platform/operation/index.ts";

const Verification = Type.Object({
  whole: Type.Boolean({ description: "True where nothing is wrong with chain and checkpoints" }),
  events: Type.Integer({ description: "Sealed events that were read" }),
  checkpoints: Type.Integer({ description: "Signed checkpoints that were checked" }),
  unsealed: Type.Integer({ description: "Committed events that are not in the chain yet" }),
  unsigned: Type.Integer({ description: "Sealed events after the newest checkpoint; signed a moment later" }),
  problems: Type.Integer(),
  first: Type.Union([
    Type.Object({ kind: Type.String(), sequence: Type.Integer(), event: Type.Union([Type.String(), Type.Null()]), what: Type.String() }),
    Type.Null(),
  ], { description: "The first problem; null where there is none" }),
});

export const verifyAudit = operation({
  id: "audit.verify",
  http: "POST /api/v1/audit/verify",
  cli: { name: "audit verify", failsWhen: { field: "whole", is: false } },
  summary: "Check the organization's audit log against its chain and its signed checkpoints",
  description: "Computes every hash anew from the events as they are stored, and compares the chain with checkpoints whose key and copy lie outside the database.",
  permission: "audit:read",
  effect: "read",
  input: Type.Object({}),
  output: Verification,
  examples: [{ input: {} }],
  prepare: (context) => context.verifyLog(),
  async handle(_context, _input, found) {
    const { first } = found;
    return {
      whole: found.problems === 0, events: found.events, checkpoints: found.checkpoints, unsealed: found.unsealed, unsigned: found.unsigned, problems: found.problems,
      first: first === undefined ? null : { kind: first.kind, sequence: first.orgSeq, event: first.eventId ?? null, what: first.what },
    };
  },
});

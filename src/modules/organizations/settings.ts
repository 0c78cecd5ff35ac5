import { Type } from "typebox";
import { SecondFactorSetting } from "./second-factor/schemas.ts";

const OperationName = Type.String({ pattern: "^[a-z][a-z-]{0,60}\\.[a-z][a-z-]{0,60}$" });

/** The settings of an organization, which policies read by these names. A module that has settings of its own adds them here. */
export const Settings = Type.Object({
  readOnly: Type.Optional(Type.Boolean({ description: "Nothing is changed in this organization" })),
  requireApproval: Type.Optional(Type.Array(OperationName, { maxItems: 200, uniqueItems: true, description: "Ids of the operations that need an approval, whoever asks" })),
  approvals: Type.Optional(Type.Object({
    expiresAfterHours: Type.Optional(Type.Integer({ minimum: 1, maximum: 720, description: "Until a request lapses; 72 without it" })),
    escalatesAfterHours: Type.Optional(Type.Integer({ minimum: 1, maximum: 720, description: "Until a request is told of again; 4 without it" })),
  }, { additionalProperties: false, description: "How long requests for an approval wait" })),
  rollouts: Type.Optional(Type.Object({
    mostBatchPercent: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: "Of the targets in production that change at once; 25 without it" })),
    mostBatchTargets: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: "Targets anywhere that change at once; 500 without it" })),
    canaryFrom: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: "Targets in production from which on a canary goes first; 2 without it" })),
  }, { additionalProperties: false, description: "What policies ask of a change of many targets" })),
  secondFactor: Type.Optional(SecondFactorSetting),
}, { additionalProperties: false, description: "The whole document; what is left out is not set" });

export const SettingsVersion = Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: "Counts the changes; 0 before the first" });

import { Type } from "typebox";
import { SecondFactorSetting } from "./second-factor/schemas.ts";

const OperationName = Type.String({ pattern: "^[a-z][a-z-]{0,60}\\.[a-z][a-z-]{0,60}$" });

/** The settings of an organization, which policies read by these names. A module that has settings of its own adds them here. */
export const Settings = Type.Object({
  readOnly: Type.Optional(Type.Boolean({ description: "Nothing is changed in this organization" })),
  requireApproval: Type.Optional(Type.Array(OperationName, { maxItems: 200, uniqueItems: true, description: "Ids of the operations that need an approval, whoever asks" })),
  secondFactor: Type.Optional(SecondFactorSetting),
}, { additionalProperties: false, description: "The whole document; what is left out is not set" });

export const SettingsVersion = Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: "Counts the changes; 0 before the first" });

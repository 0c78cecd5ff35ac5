import { Type, type Static } from "typebox";
import { quotaResources } from "../../platform/operation/quotas.ts";

/** What one must hold to see an event of this module live. */
export const Seen = { organization: "organizations:read", members: "members:read", security: "audit:read" } as const;

export function Count(description: string) {
  return Type.Integer({ minimum: 0, description });
}

export function Time(description: string) {
  return Type.String({ format: "date-time", maxLength: 40, description });
}

const Limit = Type.Optional(Type.Union([Count("Most that there may be"), Type.Null()], { description: "null: no limit" }));
export const LimitsSet = Type.Object({ assets: Limit, images: Limit, scans: Limit, storage: Limit }, { description: "The limits that were set" });
export const QuotaNames = Type.Array(Type.Enum([...quotaResources]), { maxItems: quotaResources.length, description: "For which the platform's default counts again" });

/** A signed checkpoint of an organization's chain. */
export const Checkpoint = Type.Object({
  orgId: Type.String({ format: "uuid", maxLength: 36, description: "UUID of the organization" }),
  seq: Count("Events up to it"),
  position: Count("Position of the last of them"),
  chainHash: Type.String({ pattern: "^[0-9a-f]{64}$", description: "Hash of the chain up to it" }),
  time: Time("When it was signed"),
  keyId: Type.String({ pattern: "^[A-Za-z0-9_-]{1,100}$", description: "Key that signed it" }),
  signature: Type.String({ pattern: "^[A-Za-z0-9+/]{86}==$", description: "Ed25519, base64" }),
}, { description: "The last checkpoint that was signed" });
export type Checkpoint = Static<typeof Checkpoint>;

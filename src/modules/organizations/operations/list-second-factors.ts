import { Type } from "typebox";
import { operation } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { PersonNeeded } from "../errors.ts";
import { passkeysOf, secondFactorsOf, totpOf } from "../second-factor-views.ts";
import { SecondFactor } from "../second-factor/schemas.ts";
import { totpName } from "../second-factor/names.ts";
import { totpPeriodMs } from "../second-factor/totp.ts";

export const listSecondFactors = operation({
  id: "second-factors.list",
  http: "GET /api/v1/second-factors",
  cli: { name: "second-factors list", columns: ["id", "kind", "name", "addedAt", "lastUsedAt"] },
  summary: "Your second factors, and how many recovery codes are left",
  permission: "self",
  reason: "everybody may see their own second factors",
  effect: "read",
  without: { mcp: "how a person signs in is for that person" },
  database: "system",
  input: Type.Object({}),
  output: Type.Object({
    items: Type.Array(SecondFactor),
    recoveryCodes: Type.Integer({ minimum: 0, description: "Recovery codes that are not spent" }),
  }),
  errors: [PersonNeeded],
  examples: [{ input: {} }],
  async handle(context) {
    const userId = personOf(context.actor);
    const { recoveryCodes } = await secondFactorsOf(context.db, userId);
    const totp = await totpOf(context.db, userId);
    const passkeys = await passkeysOf(context.db, userId);
    return {
      items: [
        ...(totp === undefined || totp.confirmed_at === null ? [] : [{
          id: "totp", kind: "totp" as const, name: totpName, addedAt: totp.confirmed_at.toISOString(), lastUsedAt: new Date(totp.last_step * totpPeriodMs).toISOString(),
        }]),
        ...passkeys.map((passkey) => ({
          id: passkey.id.toString("base64url"), kind: "passkey" as const, name: passkey.name, addedAt: passkey.created_at.toISOString(),
          ...(passkey.last_used_at === null ? {} : { lastUsedAt: passkey.last_used_at.toISOString() }),
        })),
      ],
      recoveryCodes,
    };
  },
});

import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { PersonNeeded, SecondFactorNotFound } from "../errors.ts";
import { SecondFactorRemoved } from "../sign-in-events.ts";
import { userTypeId } from "../ids.ts";
import { deletePasskey, deleteTotp, lockUser, replaceRecoveryCodes, unconfirmSessions } from "../second-factor-store.ts";
import { secondFactorsOf } from "../second-factor-views.ts";
import { SecondFactorId } from "../second-factor/schemas.ts";

export const removeSecondFactor = operation({
  id: "second-factors.remove",
  http: "DELETE /api/v1/second-factors/{id}",
  cli: { name: "second-factors remove", positional: ["id"] },
  summary: "Remove a second factor of yours",
  description: "With the last one go its recovery codes. Where a role of yours requires a second factor, you can then do nothing but add another.",
  permission: "self",
  reason: "everybody may change how they sign in",
  effect: "destructive",
  confirm: "second-factor",
  without: { mcp: "how a person signs in is for that person" },
  database: "system",
  input: Type.Object({ id: SecondFactorId }),
  output: Type.Object({ id: SecondFactorId, left: Type.Integer({ minimum: 0, description: "Second factors that are left" }) }),
  errors: [PersonNeeded, SecondFactorNotFound],
  examples: [{ input: { id: "totp" } }],
  async handle(context, { id }) {
    const { db } = context;
    const userId = personOf(context.actor);
    await lockUser(db, userId);
    const removed = id === "totp" ? await deleteTotp(db, userId) : await deletePasskey(db, userId, Buffer.from(id, "base64url"));
    if (!removed) fail(SecondFactorNotFound, "You have no second factor of this id; qinfra second-factors list shows those that you have.");
    const { totp, passkeys } = await secondFactorsOf(db, userId);
    const left = passkeys + (totp ? 1 : 0);
    if (left === 0) {
      await replaceRecoveryCodes(db, userId, []);
      // A session that goes on for weeks must not count as one of somebody who has a second factor.
      await unconfirmSessions(db, userId);
    }
    await context.events.append({ type: SecondFactorRemoved, subject: userTypeId(userId), data: { kind: id === "totp" ? "totp" : "passkey", left } });
    return { id, left };
  },
});

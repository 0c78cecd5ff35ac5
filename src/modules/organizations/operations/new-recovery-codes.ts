import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { NoSecondFactor, PersonNeeded } from "../errors.ts";
import { RecoveryCodesMade } from "../sign-in-events.ts";
import { userTypeId } from "../ids.ts";
import { lockUser } from "../second-factor-store.ts";
import { secondFactorsOf } from "../second-factor-views.ts";
import { freshRecoveryCodes } from "../second-factor/enrolment.ts";
import { RecoveryCodes } from "../second-factor/schemas.ts";

export const newRecoveryCodes = operation({
  id: "second-factors.new-recovery-codes",
  http: "POST /api/v1/second-factors/recovery-codes",
  cli: { name: "second-factors new-recovery-codes", alone: "recoveryCodes" },
  summary: "Make ten new recovery codes; the old ones end",
  permission: "self",
  reason: "everybody may change how they sign in",
  effect: "change",
  answersSecret: true,
  confirm: "second-factor",
  without: { mcp: "the answer holds secrets, which are for a person" },
  database: "system",
  input: Type.Object({}),
  output: Type.Object({ recoveryCodes: RecoveryCodes }),
  errors: [PersonNeeded, NoSecondFactor],
  creates: true,
  examples: [{ input: {} }],
  async handle(context) {
    const { db } = context;
    const userId = personOf(context.actor);
    await lockUser(db, userId);
    if (!(await secondFactorsOf(db, userId)).any) fail(NoSecondFactor, "Recovery codes stand in for a second factor, and you have none; add one first.");
    const recoveryCodes = await freshRecoveryCodes(db, userId);
    await context.events.append({ type: RecoveryCodesMade, subject: userTypeId(userId), data: { codes: recoveryCodes.length } });
    return { recoveryCodes };
  },
});

import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { PersonNeeded, TotpNotBegun, WrongCode } from "../errors.ts";
import { SecondFactorAdded } from "../sign-in-events.ts";
import { userTypeId } from "../ids.ts";
import { confirmTotp as confirm } from "../second-factor-store.ts";
import { totpOf } from "../second-factor-views.ts";
import { afterFirstFactor, mayStillAddFactor } from "../second-factor/enrolment.ts";
import { Enrolled } from "../second-factor/schemas.ts";
import { totpStep } from "../second-factor/totp.ts";
import { totpSecretFor } from "../second-factor/verify-code.ts";
import { signInLimits } from "../sign-in-limits.ts";

const waitsMs = 30 * 60_000;

export const confirmTotp = operation({
  id: "second-factors.confirm-totp",
  http: "POST /api/v1/second-factors/totp/confirm",
  summary: "Give the first code of an authenticator app, which then counts",
  description: "With the first second factor, answers ten recovery codes once and ends your other sessions, which began without it.",
  permission: "self",
  reason: "everybody may have a second factor",
  effect: "change",
  answersSecret: true,
  without: { mcp: "the answer holds secrets, which are for a person", cli: "`qinfra second-factors add-totp` asks for the first code without showing it" },
  database: "system",
  input: Type.Object({ code: Type.String({ pattern: "^\\s{0,4}[0-9]{3}\\s?[0-9]{3}\\s{0,4}$", writeOnly: true, description: "Six digits that the app shows" }) }),
  output: Enrolled,
  errors: [PersonNeeded, TotpNotBegun, WrongCode],
  examples: [{ input: { code: "123456" } }],
  async prepare(context, input) {
    const { clock } = context;
    const userId = personOf(context.actor);
    const succeeded = signInLimits(clock).attempt(`confirm-totp ${userId}`, context.address);
    const waiting = await context.transaction((db) => totpOf(db, userId));
    if (waiting === undefined || waiting.confirmed_at !== null || clock.now() - waiting.created_at.getTime() > waitsMs) {
      fail(TotpNotBegun, "No authenticator app waits for its first code, or it waited for more than half an hour; begin again with second-factors.add-totp.");
    }
    const step = totpStep(await context.secrets.open(waiting.secret, totpSecretFor), input.code.replaceAll(/\s/g, ""), clock.now());
    if (step === undefined) fail(WrongCode, "The code is not right. Check that the clock of the device is right, and give the code that the app shows now.");
    succeeded();
    return { userId, secret: waiting.secret, step };
  },
  async handle(context, _input, { userId, secret, step }) {
    const { db, actor } = context;
    const at = timestamp(context.clock);
    const before = await mayStillAddFactor(db, context, userId);
    if (!(await confirm(db, { userId, secret, step, at }))) fail(TotpNotBegun, "The authenticator app was begun anew meanwhile; give the first code of that one.");
    const first = before.any ? { endedSessions: 0 } : await afterFirstFactor(db, userId, { sessionId: actor.sessionId, at });
    await context.events.append({ type: SecondFactorAdded, subject: userTypeId(userId), data: { kind: "totp", first: !before.any, endedSessions: first.endedSessions } });
    return { id: "totp", ...first };
  },
});

import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { NoSecondFactor, UserNotFound } from "../errors.ts";
import { SecondFactorsReset } from "../sign-in-events.ts";
import { UserId, userUuid } from "../ids.ts";
import { userById } from "../reset-views.ts";
import { deleteSecondFactors, lockUser } from "../second-factor-store.ts";
import { endOtherSessions } from "../store.ts";
import { appendForUser } from "../user-events.ts";

export const resetSecondFactors = operation({
  id: "users.reset-second-factors",
  http: "POST /api/v1/users/{user}/reset-second-factors",
  cli: { name: "users reset-second-factors", positional: ["user"], columns: ["user", "endedSessions"] },
  summary: "Remove all second factors of a person who lost them",
  description: "Make sure by another way that it is they. Their sessions end; then the password alone signs them in, until they add a factor.",
  permission: "platform:users",
  effect: "destructive",
  confirm: "second-factor",
  database: "system",
  input: Type.Object({ user: UserId }),
  output: Type.Object({ user: UserId, endedSessions: Type.Integer({ minimum: 0 }) }),
  errors: [UserNotFound, NoSecondFactor],
  examples: [{ input: { user: "usr_01jd0000000000000000000000" } }],
  async handle(context, input) {
    const { db } = context;
    const userId = userUuid(input.user);
    await lockUser(db, userId);
    if ((await userById(db, userId)) === undefined) fail(UserNotFound, `There is no user ${input.user}.`);
    if (!(await deleteSecondFactors(db, userId))) fail(NoSecondFactor, "This person has no second factor; there is nothing to remove.");
    const endedSessions = await endOtherSessions(db, userId, null, timestamp(context.clock));
    await appendForUser(context, userId, { type: SecondFactorsReset, subject: input.user, data: { endedSessions } });
    return { user: input.user, endedSessions };
  },
});

import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { userOf } from "../caller.ts";
import { LastAdministrator, NotOneself, UserNotFound } from "../errors.ts";
import { UserDisabled, UserEnabled } from "../sign-in-events.ts";
import { UserId, userUuid } from "../ids.ts";
import { isLast } from "../last-administrator.ts";
import { userById } from "../reset-views.ts";
import { deleteSingleUses } from "../single-use-store.ts";
import { endOtherSessions, lockAdministrators } from "../store.ts";
import { appendForUser } from "../user-events.ts";
import { setDisabled } from "../user-store.ts";

const input = Type.Object({ user: UserId });
const examples = [{ input: { user: "usr_01jd0000000000000000000000" } }];

export const disableUser = operation({
  id: "users.disable",
  http: "POST /api/v1/users/{user}/disable",
  cli: { name: "users disable", positional: ["user"], columns: ["user", "disabled", "endedSessions"] },
  summary: "Shut a person out of the platform, in every organization",
  description: "Sessions end; what their API keys and tokens of issuers ask is refused until the person is enabled again.",
  permission: "platform:users",
  effect: "destructive",
  database: "system",
  input,
  output: Type.Object({ user: UserId, disabled: Type.Literal(true), endedSessions: Type.Integer({ minimum: 0 }) }),
  errors: [UserNotFound, NotOneself, LastAdministrator],
  examples,
  async handle(context, input) {
    const { db } = context;
    const userId = userUuid(input.user);
    if (userId === userOf(context.actor)) fail(NotOneself, "You would shut yourself out; another administrator of the platform can do it.");
    // Two administrators of the platform who disable each other at once go one after the other.
    const administrators = await lockAdministrators(db, context.orgId);
    if ((await userById(db, userId)) === undefined) fail(UserNotFound, `There is no user ${input.user}.`);
    if (isLast(administrators, userId)) fail(LastAdministrator, "This is the only administrator of the platform who can sign in.");
    const at = timestamp(context.clock);
    const changed = await setDisabled(db, userId, at);
    await deleteSingleUses(db, userId, "password-reset");
    const endedSessions = await endOtherSessions(db, userId, null, at);
    if (changed) await appendForUser(context, userId, { type: UserDisabled, subject: input.user, data: { endedSessions } });
    return { user: input.user, disabled: true as const, endedSessions };
  },
});

export const enableUser = operation({
  id: "users.enable",
  http: "POST /api/v1/users/{user}/enable",
  cli: { name: "users enable", positional: ["user"], columns: ["user", "disabled"] },
  summary: "Let a disabled person in again",
  description: "API keys that were neither revoked nor are expired work again; sessions do not come back.",
  permission: "platform:users",
  effect: "change",
  database: "system",
  input,
  output: Type.Object({ user: UserId, disabled: Type.Literal(false) }),
  errors: [UserNotFound],
  examples,
  async handle(context, input) {
    const { db } = context;
    const userId = userUuid(input.user);
    if ((await userById(db, userId)) === undefined) fail(UserNotFound, `There is no user ${input.user}.`);
    if (await setDisabled(db, userId, null)) await appendForUser(context, userId, { type: UserEnabled, subject: input.user, data: {} });
    return { user: input.user, disabled: false as const };
  },
});

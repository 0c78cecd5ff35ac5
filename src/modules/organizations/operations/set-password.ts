import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { Conflict, fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { PasswordUnchanged, PersonNeeded, WrongPassword } from "../errors.ts";
import { PasswordSet } from "../sign-in-events.ts";
import { UserId, userTypeId } from "../ids.ts";
import { passwords } from "../passwords.ts";
import { signInLimits } from "../sign-in-limits.ts";
import { deleteSingleUses } from "../single-use-store.ts";
import { endOtherSessions, replacePassword } from "../store.ts";
import { credentialOf } from "../views.ts";

export const setPassword = operation({
  id: "users.set-password",
  http: "PUT /api/v1/users/me/password",
  summary: "Set your own password",
  description: "Ends your other sessions. A one-time password is spent by it.",
  permission: "self",
  reason: "everybody may set their own password, and has to after a one-time password",
  effect: "change",
  afterOneTimePassword: true,
  without: { mcp: "a program is not given a person's password", cli: "`qinfra login` asks for passwords without showing them" },
  database: "system",
  input: Type.Object({
    currentPassword: Type.String({ writeOnly: true, minLength: 1, maxLength: 1024 }),
    newPassword: Type.String({ writeOnly: true, minLength: 12, maxLength: 1024, description: "At least 12 characters, of any kind" }),
  }),
  output: Type.Object({ user: UserId, endedSessions: Type.Integer({ minimum: 0 }) }),
  errors: [WrongPassword, PasswordUnchanged, PersonNeeded],
  examples: [{ input: { currentPassword: "correct horse battery staple", newPassword: "a longer horse battery staple" } }],
  async prepare(context, input) {
    const userId = personOf(context.actor);
    const succeeded = signInLimits(context.clock).attempt(`set-password ${userId}`, context.address);
    const known = await context.transaction((db) => credentialOf(db, userId));
    if (!(await passwords.verify(input.currentPassword, known?.hash)) || known === undefined) {
      fail(WrongPassword, "The current password is not right; nothing was changed.");
    }
    succeeded();
    if (await passwords.verify(input.newPassword, known.hash)) fail(PasswordUnchanged, "The new password is the current one; choose another.");
    return { userId, checkedHash: known.hash, oneTime: known.one_time, hash: await passwords.hash(input.newPassword) };
  },
  async handle(context, _input, { oneTime, ...password }) {
    const at = timestamp(context.clock);
    if (!(await replacePassword(context.db, { ...password, at }))) fail(Conflict, "The password was changed at the same time from elsewhere; sign in with the new one.");
    const endedSessions = await endOtherSessions(context.db, password.userId, context.actor.sessionId ?? null, at);
    // Whoever knows the password needs no link to set it, and an old one must not undo what was just done.
    await deleteSingleUses(context.db, password.userId, "password-reset");
    const user = userTypeId(password.userId);
    await context.events.append({ type: PasswordSet, subject: user, data: { endedSessions, oneTimeSpent: oneTime } });
    return { user, endedSessions };
  },
});

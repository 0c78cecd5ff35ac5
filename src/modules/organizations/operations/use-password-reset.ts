import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { operation } from "../../../platform/operation/index.ts";
import { ResetLinkOver } from "../errors.ts";
import { PasswordSet } from "../sign-in-events.ts";
import { UserId, userTypeId } from "../ids.ts";
import { linkOver, mayReset, resetOf, ResetToken } from "../password-resets.ts";
import { passwords } from "../passwords.ts";
import { userById } from "../reset-views.ts";
import { NewPassword, Time } from "../schemas.ts";
import { takeSingleUse } from "../single-use-store.ts";
import { endOtherSessions } from "../store.ts";
import { appendForUser } from "../user-events.ts";
import { overridePassword } from "../user-store.ts";

const shared = {
  permission: "public",
  reason: "who lost the password cannot sign in",
  without: { mcp: "a program is not given a person's password", cli: "secrets are no arguments of a command; the link opens in a browser" },
  database: "system",
  errors: [ResetLinkOver],
} as const;

const exampleToken = "0123456789abcdefghjkmnpqrstvwxyz0123456789abcdefghjk-usr_01jd0000000000000000000000";

export const lookUpPasswordReset = operation({
  ...shared,
  id: "password-resets.look-up",
  http: "POST /api/v1/password-resets/look-up",
  summary: "Whom a link for a new password is for",
  effect: "read",
  input: Type.Object({ token: ResetToken }),
  output: Type.Object({ name: Type.String({ description: "Login name" }), expiresAt: Time }),
  examples: [{ input: { token: exampleToken } }],
  async prepare(context, input) {
    return resetOf(context, input.token);
  },
  async handle({ db }, _input, { userId, expiresAt }) {
    const user = (await userById(db, userId)) ?? linkOver();
    return { name: user.name, expiresAt: expiresAt.toISOString() };
  },
});

export const usePasswordReset = operation({
  ...shared,
  id: "password-resets.use",
  http: "POST /api/v1/password-resets",
  summary: "Set a new password by a link, which is spent by it",
  description: "Ends all sessions of the person. Second factors stay.",
  effect: "change",
  input: Type.Object({ token: ResetToken, newPassword: NewPassword }),
  output: Type.Object({ user: UserId, endedSessions: Type.Integer({ minimum: 0 }) }),
  examples: [{ input: { token: exampleToken, newPassword: "a longer horse battery staple" } }],
  async prepare(context, input) {
    // The costly hash is worked out for a link that is good, not for whoever sends something.
    const found = await resetOf(context, input.token);
    return { ...found, passwordHash: await passwords.hash(input.newPassword) };
  },
  async handle(context, _input, { userId, offeredBy, hash, passwordHash }) {
    const { db } = context;
    const at = timestamp(context.clock);
    const taken = await takeSingleUse(db, { hash, purpose: "password-reset", at });
    if (taken !== userId || !(await mayReset(db, offeredBy, userId))) linkOver();
    if (!(await overridePassword(db, { userId, hash: passwordHash, at }))) linkOver();
    const endedSessions = await endOtherSessions(db, userId, null, at);
    const user = userTypeId(userId);
    await appendForUser(context, userId, { type: PasswordSet, subject: user, data: { endedSessions, oneTimeSpent: false, by: "reset-link", offeredBy: userTypeId(offeredBy) } });
    return { user, endedSessions };
  },
});

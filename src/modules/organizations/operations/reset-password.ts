import { Type } from "typebox";
import { grants } from "../../../platform/actor.ts";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { AdministeredElsewhere, MemberNotFound, NoPassword, NotOneself, PersonNeeded } from "../errors.ts";
import { PasswordResetOffered } from "../sign-in-events.ts";
import { UserId, userUuid } from "../ids.ts";
import { newResetToken, resetMs } from "../password-resets.ts";
import { resetStanding } from "../reset-views.ts";
import { Time } from "../schemas.ts";
import { needConfirmation } from "../second-factor/enrolment.ts";
import { secondFactorsOf } from "../second-factor-views.ts";
import { deleteSingleUses, insertSingleUse } from "../single-use-store.ts";
import { appendForUser } from "../user-events.ts";
import { memberOf } from "../views.ts";

export const resetPassword = operation({
  id: "users.reset-password",
  http: "POST /api/v1/users/{user}/password-reset",
  cli: { name: "users reset-password", positional: ["user"], columns: ["user", "link", "expiresAt"] },
  summary: "Make a link by which a member sets a new password",
  description: "For members all of whose organizations you administer; an administrator of the platform may for everybody. The link is shown once, is good once and for a day, and ends nothing until it is used; second factors stay. Where you have a second factor, you must have given it in the last five minutes.",
  permission: "members:write",
  effect: "change",
  answersSecret: true,
  without: { mcp: "the answer holds a secret, which is for a person" },
  database: "system",
  input: Type.Object({ user: UserId }),
  output: Type.Object({ user: UserId, link: Type.String({ description: "Shown once" }), expiresAt: Time }),
  errors: [PersonNeeded, MemberNotFound, NotOneself, AdministeredElsewhere, NoPassword],
  creates: true,
  examples: [{ input: { user: "usr_01jd0000000000000000000000" } }],
  async prepare(context) {
    return context.publicUrl;
  },
  async handle(context, input, publicUrl) {
    const { db, actor, clock } = context;
    const offeredBy = personOf(actor);
    const userId = userUuid(input.user);
    // Whoever found a signed-in screen could otherwise set a password without knowing the old one.
    if (userId === offeredBy) fail(NotOneself, "For yourself there is users.set-password, which asks for the current password.");
    const everywhere = actor.platform && grants(actor.permissions, "platform:users");
    if (!everywhere && (await memberOf(db, context.orgId, userId)) === undefined) fail(MemberNotFound, `${input.user} is not a member of this organization.`);
    const { administersAll, administersPlatform, hasPassword } = await resetStanding(db, offeredBy, userId);
    // Otherwise an administrator of one organization could act in another as its member.
    if (!administersAll && !administersPlatform) fail(AdministeredElsewhere, "This person is a member of an organization that you do not administer; an administrator of the platform can make the link.");
    if (!hasPassword) fail(NoPassword, "This user is disabled, signs in elsewhere, or is a service account: there is no password here to set.");
    if ((await secondFactorsOf(db, offeredBy)).any) needConfirmation(actor, clock);
    const { token, hash } = newResetToken(offeredBy);
    const expiresAt = new Date(clock.now() + resetMs).toISOString();
    await deleteSingleUses(db, userId, "password-reset");
    await insertSingleUse(db, { hash, purpose: "password-reset", userId, at: timestamp(clock), expiresAt });
    await appendForUser(context, userId, { type: PasswordResetOffered, subject: input.user, data: { expiresAt } });
    return { user: input.user, link: `${publicUrl}/reset/${token}`, expiresAt };
  },
});

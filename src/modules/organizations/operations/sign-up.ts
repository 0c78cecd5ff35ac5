import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { InvitationNotFound, InvitationOver, NameTaken, PasswordsOff } from "../errors.ts";
import { OrganizationId, orgTypeId, UserId, userTypeId } from "../ids.ts";
import { join, pendingInvitationOf } from "../invitations.ts";
import { passwords } from "../passwords.ts";
import { InvitationToken, LoginName, NewPassword, OneLine, RoleName } from "../schemas.ts";
import { signInLimits } from "../sign-in-limits.ts";
import { insertLocalUser } from "../store.ts";

export const signUp = operation({
  id: "invitations.sign-up",
  http: "POST /api/v1/invitations/sign-up",
  summary: "Join an organization as a new person, by an invitation",
  description: "Makes the account with a password of your own; sign in with it afterwards.",
  permission: "public",
  reason: "nobody is signed in before they have an account",
  effect: "change",
  without: { mcp: "a person joins an organization, not a program", cli: "secrets are no arguments of a command; the link opens in a browser" },
  database: "system",
  input: Type.Object({ token: InvitationToken, name: LoginName, displayName: Type.Optional(OneLine), password: NewPassword }),
  output: Type.Object({ user: UserId, organization: OrganizationId, role: RoleName }),
  errors: [InvitationNotFound, InvitationOver, NameTaken, PasswordsOff],
  creates: true,
  examples: [{ input: { token: "0123456789abcdefghjkmnpqrstvwxyz0123456789abcdefghjk", name: "ada", displayName: "Ada Lovelace", password: "correct horse battery staple" } }],
  async prepare(context, input) {
    if (!context.settings.signIn.passwords) fail(PasswordsOff, "People sign in at their own issuer here: sign in there, then open the link again.");
    const invitation = await pendingInvitationOf(context, input.token);
    // Each attempt stays counted: the answer tells whether a login name is taken.
    signInLimits(context.clock).attempt(`sign-up ${input.token}`, context.address);
    return { invitation, hash: await passwords.hash(input.password) };
  },
  async handle(context, input, { invitation, hash }) {
    const id = context.ids.uuid();
    const user = { id, name: input.name, displayName: input.displayName ?? input.name, email: invitation.email, hash, oneTime: false, sealed: null, at: timestamp(context.clock) };
    if (!(await insertLocalUser(context.db, user))) fail(NameTaken, `The login name ${input.name} is taken. Choose another, or sign in and open the link again if it is yours.`);
    await join(context, invitation, id, true);
    return { user: userTypeId(id), organization: orgTypeId(invitation.org_id), role: invitation.role };
  },
});

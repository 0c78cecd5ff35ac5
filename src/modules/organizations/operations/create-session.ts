import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { newSessionToken } from "../../../platform/identity/tokens.ts";
import { operation, type PrepareContext } from "../../../platform/operation/index.ts";
import { refuseClosed } from "../../../platform/operation/closed.ts";
import { eventOf } from "../caller.ts";
import { PasswordsOff, SecondFactorNeeded, SignInFailed } from "../errors.ts";
import { SessionCreated } from "../sign-in-events.ts";
import { OrganizationId, orgTypeId, orgUuid, sessionTypeId, userTypeId } from "../ids.ts";
import { passwords } from "../passwords.ts";
import { DoorOrCli, NewSession } from "../schemas.ts";
import { lockUser } from "../second-factor-store.ts";
import { secondFactorsOf, verifyCode } from "../second-factor/index.ts";
import { sessionLifetimeMs } from "../sessions.ts";
import { signInLimits } from "../sign-in-limits.ts";
import { insertSession } from "../store.ts";
import { credentialByName } from "../views.ts";

export const createSession = operation({
  id: "sessions.create",
  http: "POST /api/v1/sessions",
  summary: "Sign in with name and password",
  description: "Answers the token once: a bearer token for the door `cli`, the value of the session cookie for `browser`. After a one-time password it can only set a new one, or sign out.",
  permission: "public",
  reason: "nobody is signed in before they sign in",
  effect: "change",
  answersSecret: true,
  without: { mcp: "a program is given an API key, not a person's password", cli: "`qinfra login` asks for the password without showing it, and keeps the token" },
  database: "system",
  input: Type.Object({
    name: Type.String({ minLength: 1, maxLength: 100, description: "Login name" }),
    password: Type.String({ minLength: 1, maxLength: 1024, writeOnly: true }),
    door: DoorOrCli,
    organization: Type.Optional(OrganizationId),
    code: Type.Optional(Type.String({ minLength: 1, maxLength: 100, writeOnly: true, description: "Six digits of the authenticator app, or a recovery code: for who has a second factor" })),
  }),
  output: NewSession,
  errors: [SignInFailed, SecondFactorNeeded, PasswordsOff],
  creates: true,
  examples: [{ input: { name: "admin", password: "correct horse battery staple", door: "cli" } }],
  async prepare(context, input) {
    if (!context.settings.signIn.passwords) fail(PasswordsOff, "Names and passwords are not taken here; sign in at your organization's issuer: `qinfra login`, or with a browser.");
    const succeeded = signInLimits(context.clock).attempt(input.name, context.address);
    const orgId = input.organization === undefined ? null : orgUuid(input.organization);
    const known = await context.transaction((db) => credentialByName(db, input.name, orgId));
    // The same work for a name that nobody has, so that the time does not tell which names there are.
    const right = await passwords.verify(input.password, known?.hash);
    if (known === undefined || !right) fail(SignInFailed, "Name and password do not belong together; try again, or ask an administrator of your organization.");
    refuseClosed(known.closes);
    const factors = await context.transaction((db) => secondFactorsOf(db, known.user_id));
    const by = factors.any ? await secondFactor(context, known.user_id, input.code) : undefined;
    succeeded();
    return { ...known, by };
  },
  async handle(context, input, known) {
    // A factor may have been enrolled since it was asked for; from here on none is until the transaction ends.
    await lockUser(context.db, known.user_id);
    if (known.by === undefined && (await secondFactorsOf(context.db, known.user_id)).any) {
      fail(SecondFactorNeeded, "A second factor was added while you signed in; sign in again, with a code of it.");
    }
    const door = input.door ?? "cli";
    const { token, hash } = newSessionToken();
    const id = context.ids.uuid();
    const at = timestamp(context.clock);
    const expiresAt = new Date(context.clock.now() + sessionLifetimeMs[door]).toISOString();
    const begun = await insertSession(context.db, { id, hash, userId: known.user_id, orgId: known.org_id, door, mustChange: known.one_time, secondFactor: known.by !== undefined, at, expiresAt }, known.hash);
    if (!begun) fail(SignInFailed, "The password was changed while you signed in; sign in with the new one.");
    await context.events.append(eventOf(known.org_id, {
      type: SessionCreated, subject: sessionTypeId(id),
      data: { user: userTypeId(known.user_id), door, mustChangePassword: known.one_time, secondFactor: known.by !== undefined, ...(known.by === undefined ? {} : { by: known.by }) },
    }));
    return { token, session: sessionTypeId(id), user: userTypeId(known.user_id), organization: orgTypeId(known.org_id), expiresAt, mustChangePassword: known.one_time };
  },
});

/** Only who gave the right password learns that a second factor is asked for. */
async function secondFactor(context: PrepareContext, userId: string, code: string | undefined): Promise<"totp" | "recovery-code"> {
  if (code === undefined) fail(SecondFactorNeeded, "The password is right; give a code of your authenticator app, or a recovery code, as well. With a passkey alone, sign in with a browser.");
  return (await verifyCode(context, userId, code)) ?? fail(SecondFactorNeeded, "The password is right, the code is not, or it was given before; give the next one, or a recovery code.");
}

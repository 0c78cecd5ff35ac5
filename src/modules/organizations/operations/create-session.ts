import { Type } from "typebox";
import type { Clock } from "../../../platform/clock.ts";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { createSignInLimits, type SignInLimits } from "../../../platform/identity/sign-in-limits.ts";
import { newSessionToken } from "../../../platform/identity/tokens.ts";
import { operation } from "../../../platform/operation/index.ts";
import { eventOf } from "../caller.ts";
import { SignInFailed } from "../errors.ts";
import { SessionCreated } from "../events.ts";
import { OrganizationId, orgTypeId, orgUuid, sessionTypeId, userTypeId } from "../ids.ts";
import { passwords } from "../passwords.ts";
import { DoorOrCli, NewSession } from "../schemas.ts";
import { sessionLifetimeMs } from "../sessions.ts";
import { insertSession } from "../store.ts";
import { credentialByName } from "../views.ts";

/** One set of counters a clock, of which a process has one. */
const limits = new WeakMap<Clock, SignInLimits>();

export function signInLimits(clock: Clock): SignInLimits {
  let found = limits.get(clock);
  if (found === undefined) {
    found = createSignInLimits(clock);
    limits.set(clock, found);
  }
  return found;
}

export const createSession = operation({
  id: "sessions.create",
  http: "POST /api/v1/sessions",
  summary: "Sign in with name and password",
  description: "Answers the token once: a bearer token for the door `cli`, the value of the session cookie for `browser`. After a one-time password it can do nothing but set a new one.",
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
  }),
  output: NewSession,
  errors: [SignInFailed],
  creates: true,
  examples: [{ input: { name: "admin", password: "correct horse battery staple", door: "cli" } }],
  async prepare(context, input) {
    const succeeded = signInLimits(context.clock).attempt(input.name, context.address);
    const orgId = input.organization === undefined ? null : orgUuid(input.organization);
    const known = await context.transaction((db) => credentialByName(db, input.name, orgId));
    // The same work for a name that nobody has, so that the time does not tell which names there are.
    const right = await passwords.verify(input.password, known?.hash);
    if (known === undefined || !right) fail(SignInFailed, "Name and password do not belong together; try again, or ask an administrator of your organization.");
    succeeded();
    return known;
  },
  async handle(context, input, known) {
    const door = input.door ?? "cli";
    const { token, hash } = newSessionToken();
    const id = context.ids.uuid();
    const at = timestamp(context.clock);
    const expiresAt = new Date(context.clock.now() + sessionLifetimeMs[door]).toISOString();
    const begun = await insertSession(context.db, { id, hash, userId: known.user_id, orgId: known.org_id, door, mustChange: known.one_time, at, expiresAt }, known.hash);
    if (!begun) fail(SignInFailed, "The password was changed while you signed in; sign in with the new one.");
    await context.events.append(eventOf(known.org_id, {
      type: SessionCreated, subject: sessionTypeId(id), data: { user: userTypeId(known.user_id), door, mustChangePassword: known.one_time },
    }));
    return { token, session: sessionTypeId(id), user: userTypeId(known.user_id), organization: orgTypeId(known.org_id), expiresAt, mustChangePassword: known.one_time };
  },
});

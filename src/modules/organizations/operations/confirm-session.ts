import { Type } from "typebox";
import type { Actor } from "../../../platform/actor.ts";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { confirmationMs } from "../../../platform/operation/confirmation.ts";
import { operation, type Context } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { NoSecondFactor, PasskeyRefused, PasskeysUnavailable, PersonNeeded, SessionNotFound, WrongCode } from "../errors.ts";
import { SessionConfirmed } from "../sign-in-events.ts";
import { sessionTypeId, userTypeId } from "../ids.ts";
import { Time } from "../schemas.ts";
import { confirmSession as confirm } from "../second-factor-store.ts";
import { secondFactorsOf } from "../second-factor-views.ts";
import { passkeyRequest, verifyPasskey } from "../second-factor/passkeys.ts";
import { Code, PasskeyOptions, UsedCredential } from "../second-factor/schemas.ts";
import { verifyCode } from "../second-factor/verify-code.ts";
import { signInLimits } from "../sign-in-limits.ts";

const shared = {
  permission: "self",
  reason: "everybody may show again that it is they",
  effect: "change",
  database: "system",
} as const;
const Confirmed = Type.Object({ until: Time });
const notForPrograms = "a second factor is given by a person";

export const confirmSession = operation({
  ...shared,
  id: "sessions.confirm",
  http: "POST /api/v1/sessions/current/confirm",
  summary: "Give a second factor in this session, for what asks for it anew",
  without: { mcp: notForPrograms, cli: "`qinfra confirm` asks for the code without showing it" },
  input: Type.Object({ code: Code }),
  output: Confirmed,
  errors: [PersonNeeded, SessionNotFound, NoSecondFactor, WrongCode],
  examples: [{ input: { code: "123456" } }],
  async prepare(context, input) {
    const { userId } = sessionOf(context.actor);
    const succeeded = signInLimits(context.clock).attempt(`confirm ${userId}`, context.address);
    const factors = await context.transaction((db) => secondFactorsOf(db, userId));
    if (!factors.any) fail(NoSecondFactor, "You have no second factor; add one on your account page, or with `qinfra second-factors add-totp`.");
    const by = await verifyCode(context, userId, input.code);
    if (by === undefined) fail(WrongCode, "The code is not right, or was given before; give the next one, or a recovery code.");
    succeeded();
    return by;
  },
  handle: (context, _input, by) => confirmed(context, by),
});

export const beginConfirmation = operation({
  ...shared,
  id: "sessions.begin-confirmation",
  http: "POST /api/v1/sessions/current/passkey-options",
  summary: "Begin to confirm with a passkey: what the browser asks it to sign",
  description: "Good once and for five minutes.",
  answersSecret: true,
  without: { mcp: notForPrograms, cli: "passkeys are used by a browser" },
  input: Type.Object({}),
  output: Type.Object({ options: PasskeyOptions }),
  errors: [PersonNeeded, SessionNotFound, NoSecondFactor],
  examples: [{ input: {} }],
  async prepare(context) {
    const { userId } = sessionOf(context.actor);
    return (await passkeyRequest(context, userId)) ?? fail(NoSecondFactor, "You have no passkey that works at this address; give a code, or add a passkey on your account page.");
  },
  handle: async (_context, _input, options) => ({ options }),
});

export const confirmWithPasskey = operation({
  ...shared,
  id: "sessions.confirm-passkey",
  http: "POST /api/v1/sessions/current/confirm-passkey",
  summary: "Give a passkey in this session, for what asks for a second factor anew",
  without: { mcp: notForPrograms, cli: "passkeys are used by a browser" },
  input: Type.Object({ credential: UsedCredential }),
  output: Confirmed,
  errors: [PersonNeeded, SessionNotFound, PasskeyRefused, PasskeysUnavailable],
  examples: [{
    input: {
      credential: {
        id: "bGFwdG9wLW9mLWFkYQ", rawId: "bGFwdG9wLW9mLWFkYQ", type: "public-key",
        response: { clientDataJSON: "e30", authenticatorData: "AA", signature: "AA" },
      },
    },
  }],
  async prepare(context, input) {
    const { userId } = sessionOf(context.actor);
    const succeeded = signInLimits(context.clock).attempt(`confirm ${userId}`, context.address);
    await verifyPasskey(context, userId, input.credential);
    succeeded();
    return "passkey" as const;
  },
  handle: (context, _input, by) => confirmed(context, by),
});

/** The session that is confirmed. A person who came with a token of an issuer has none of ours. */
function sessionOf(actor: Actor): { userId: string; id: string } {
  const userId = personOf(actor);
  if (actor.sessionId === undefined) fail(SessionNotFound, "There is no session to confirm: you came with a token of an issuer. Sign in here, with a browser or `qinfra login`.");
  return { userId, id: actor.sessionId };
}

async function confirmed(context: Context, by: "totp" | "recovery-code" | "passkey"): Promise<{ until: string }> {
  const session = sessionOf(context.actor);
  if (!(await confirm(context.db, { ...session, at: timestamp(context.clock) }))) fail(SessionNotFound, "The session is over; sign in again.");
  await context.events.append({ type: SessionConfirmed, subject: sessionTypeId(session.id), data: { user: userTypeId(session.userId), by } });
  return { until: new Date(context.clock.now() + confirmationMs).toISOString() };
}

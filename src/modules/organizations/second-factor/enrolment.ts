import type { Actor } from "../../../platform/actor.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { Db } from "../../../platform/database/database.ts";
import { ConfirmationNeeded, fail } from "../../../platform/errors.ts";
import { confirmationMs, isConfirmed } from "../../../platform/operation/confirmation.ts";
import type { PrepareContext } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { SignInAgain, WrongPassword } from "../errors.ts";
import { passwords } from "../passwords.ts";
import { confirmSession, lockUser, replaceRecoveryCodes } from "../second-factor-store.ts";
import { secondFactorsOf, sessionBegan, type SecondFactors } from "../second-factor-views.ts";
import { signInLimits } from "../sign-in-limits.ts";
import { endOtherSessions } from "../store.ts";
import { credentialOf } from "../views.ts";
import { newRecoveryCodes, recoveryCodeHash } from "./recovery-codes.ts";

const freshMs = 10 * 60_000;

/**
 * Whether the person may add a factor now; whose it would be. A stolen session must not become a stolen account: the
 * first factor needs the password or a sign-in of the last ten minutes, each further one a factor that is there.
 * Errors: ConfirmationNeeded, SignInAgain, WrongPassword, PersonNeeded, TooManyRequests.
 */
export async function mayAddFactor(context: PrepareContext, currentPassword: string | undefined): Promise<string> {
  const { actor, clock } = context;
  const userId = personOf(actor);
  const { factors, password, began } = await context.transaction(async (db) => ({
    factors: await secondFactorsOf(db, userId),
    password: currentPassword === undefined ? undefined : await credentialOf(db, userId),
    began: actor.sessionId === undefined ? undefined : await sessionBegan(db, userId, actor.sessionId),
  }));
  if (factors.any) {
    needConfirmation(actor, clock);
    return userId;
  }
  if (currentPassword !== undefined) {
    const succeeded = signInLimits(clock).attempt(`second-factor ${userId}`, context.address);
    if (!(await passwords.verify(currentPassword, password?.hash))) fail(WrongPassword, "The current password is not right; nothing was changed.");
    succeeded();
    return userId;
  }
  if (began === undefined || clock.now() - began.getTime() >= freshMs) {
    fail(SignInAgain, `The first second factor needs your password, or a sign-in of the last ${freshMs / 60_000} minutes: give the current password, or sign in again.`);
  }
  return userId;
}

/** The same at the time of the change, where a factor may have come meanwhile; those that there are. The user is locked. */
export async function mayStillAddFactor(db: Db, { actor, clock }: { actor: Actor; clock: Clock }, userId: string): Promise<SecondFactors> {
  await lockUser(db, userId);
  const factors = await secondFactorsOf(db, userId);
  if (factors.any) needConfirmation(actor, clock);
  return factors;
}

export function needConfirmation(actor: Actor, clock: Clock): void {
  if (isConfirmed(actor, clock.now())) return;
  fail(ConfirmationNeeded, `This asks for a second factor given in the last ${confirmationMs / 60_000} minutes: run \`qinfra confirm\`, or confirm it on your account page, then repeat it.`);
}

/** What comes with a person's first factor: recovery codes, and the end of the sessions that began without one. */
export async function afterFirstFactor(db: Db, userId: string, { sessionId, at }: { sessionId: string | undefined; at: string }): Promise<{ recoveryCodes: string[]; endedSessions: number }> {
  const recoveryCodes = await freshRecoveryCodes(db, userId);
  const endedSessions = await endOtherSessions(db, userId, sessionId ?? null, at);
  if (sessionId !== undefined) await confirmSession(db, { id: sessionId, userId, at });
  return { recoveryCodes, endedSessions };
}

export async function freshRecoveryCodes(db: Db, userId: string): Promise<string[]> {
  const codes = newRecoveryCodes();
  await replaceRecoveryCodes(db, userId, codes.map(recoveryCodeHash));
  return codes;
}

import { Type } from "typebox";
import { timestamp } from "../../platform/clock.ts";
import type { Db } from "../../platform/database/database.ts";
import { fail } from "../../platform/errors.ts";
import { randomText, tokenHash, type Random } from "../../platform/identity/tokens.ts";
import { fromTypeId } from "../../platform/ids.ts";
import type { PrepareContext } from "../../platform/operation/index.ts";
import { ResetLinkOver } from "./errors.ts";
import { userTypeId } from "./ids.ts";
import { resetStanding } from "./reset-views.ts";
import { signInLimits } from "./sign-in-limits.ts";
import { singleUseOf } from "./single-use-store.ts";

const secretLength = 52; // 260 bits

export const resetMs = 24 * 3_600_000;

export const ResetToken = Type.String({ writeOnly: true, minLength: 1, maxLength: 200, description: "Last part of the link" });

/** The token names who offered the link, so that it can end with their right to; its hash binds the two. */
export function newResetToken(offeredBy: string, random?: Random): { token: string; hash: Buffer } {
  const token = `${randomText(secretLength, random)}-${userTypeId(offeredBy)}`;
  return { token, hash: tokenHash(token) };
}

/** Whether the link's maker may still give that person a new password, and the person has one. */
export async function mayReset(db: Db, offeredBy: string, userId: string): Promise<boolean> {
  const { administersAll, administersPlatform, hasPassword } = await resetStanding(db, offeredBy, userId);
  return hasPassword && (administersAll || administersPlatform);
}

/** The person that a link is for and until when it is good. Wrong ones count against the address. Errors: ResetLinkOver, TooManyRequests. */
export async function resetOf(context: PrepareContext, token: string): Promise<{ userId: string; offeredBy: string; hash: Buffer; expiresAt: Date }> {
  const right = signInLimits(context.clock).attempt("password-reset", context.address);
  const hash = tokenHash(token);
  const offeredBy = fromTypeId("usr", token.slice(secretLength + 1));
  const found = offeredBy === undefined ? undefined : await context.transaction(async (db) => {
    const row = await singleUseOf(db, { hash, purpose: "password-reset", at: timestamp(context.clock) });
    return row !== undefined && (await mayReset(db, offeredBy, row.user_id)) ? row : undefined;
  });
  if (offeredBy === undefined || found === undefined) linkOver();
  right();
  return { userId: found.user_id, offeredBy, hash, expiresAt: found.expires_at };
}

export function linkOver(): never {
  fail(ResetLinkOver, "The link was used, is older than a day, was replaced by another one, or is not whole. Ask your administrator for a new one.");
}

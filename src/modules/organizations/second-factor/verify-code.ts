import { timestamp, type Clock } from "../../../platform/clock.ts";
import type { Db } from "../../../platform/database/database.ts";
import type { Secrets } from "../../../platform/secrets/types.ts";
import { takeRecoveryCode, takeTotpStep } from "../second-factor-store.ts";
import { totpOf } from "../second-factor-views.ts";
import { codeLimits } from "./code-limits.ts";
import { isRecoveryCode, recoveryCodeHash } from "./recovery-codes.ts";
import { totpStep } from "./totp.ts";

/** What the check of a code needs; a `PrepareContext` of an operation on the system's door is one. */
export interface CodePorts {
  /** Short transactions on the system's door: no tenant may read second factors. */
  transaction<T>(work: (db: Db) => Promise<T>): Promise<T>;
  secrets: Pick<Secrets, "open">;
  clock: Clock;
}

export const totpSecretFor = { purpose: "totp" };

/**
 * Spends a code of the person: six digits of the authenticator app, or a recovery code. Answers which it was, or
 * undefined where it is wrong or was given before. The caller counts attempts by account and address
 * (`signInLimits`) before it asks; codes of six digits are counted here for the person as well.
 * Errors: TooManyRequests.
 */
export async function verifyCode(ports: CodePorts, userId: string, code: string): Promise<"totp" | "recovery-code" | undefined> {
  const { transaction, secrets, clock } = ports;
  const text = code.replaceAll(/\s/g, "");
  if (isRecoveryCode(text)) {
    return (await transaction((db) => takeRecoveryCode(db, userId, recoveryCodeHash(text), timestamp(clock)))) ? "recovery-code" : undefined;
  }
  if (!/^\d{6}$/.test(text)) return undefined;
  const row = await transaction((db) => totpOf(db, userId));
  if (row === undefined || row.confirmed_at === null) return undefined;
  const takeBack = codeLimits(clock).take(userId);
  const step = totpStep(await secrets.open(row.secret, totpSecretFor), text, clock.now());
  if (step === undefined || !(await transaction((db) => takeTotpStep(db, { userId, secret: row.secret, step })))) return undefined;
  takeBack();
  return "totp";
}

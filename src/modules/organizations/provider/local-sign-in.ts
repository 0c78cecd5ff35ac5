import type { Clock } from "../../../platform/clock.ts";
import type { Database } from "../../../platform/database/database.ts";
import { DeclaredError, fail } from "../../../platform/errors.ts";
import type { Secrets } from "../../../platform/secrets/types.ts";
import { PasskeysUnavailable, SignInFailed, WrongCode } from "../errors.ts";
import { passwords } from "../passwords.ts";
import { passkeyRequest, secondFactorsOf, verifyCode, verifyPasskey, type SecondFactors } from "../second-factor/index.ts";
import { signInLimits } from "../sign-in-limits.ts";
import { credentialByName } from "../views.ts";

/** The checks behind the sign-in pages. Each counts its attempts by account and address before any work. */
export interface LocalSignIn {
  /** The person whose name and password these are. Errors: SignInFailed, TooManyRequests. */
  password(attempt: { name: string; password: string; address: string }): Promise<{ userId: string }>;
  factors(userId: string): Promise<SecondFactors>;
  /** Errors: WrongCode, TooManyRequests. */
  code(attempt: { userId: string; code: string; address: string }): Promise<void>;
  /**
   * What the browser's passkey dialogue takes, as JSON; undefined where there is none, or none can be used at this address.
   * `kept` is the challenge of the request before, which goes on while it is not spent.
   */
  passkeyRequest(userId: string, kept?: string): Promise<{ challenge: string } | undefined>;
  /** Errors: PasskeyRefused, TooManyRequests. */
  passkey(attempt: { userId: string; response: unknown; address: string }): Promise<void>;
}

export function createLocalSignIn(ports: { database: Database; secrets: Pick<Secrets, "open">; clock: Clock; publicUrl: string }): LocalSignIn {
  const { clock, database, secrets, publicUrl } = ports;
  const transaction = database.system;
  const checks = { transaction, secrets, clock, publicUrl };

  return {
    async password({ name, password, address }) {
      const succeeded = signInLimits(clock).attempt(name, address);
      const known = await database.lookup((db) => credentialByName(db, name, null));
      // The same work for a name that nobody has, so that the time does not tell which names there are.
      const right = await passwords.verify(password, known?.hash);
      if (known === undefined || !right) fail(SignInFailed, "Name and password do not belong together; try again, or ask an administrator of your organization.");
      succeeded();
      return { userId: known.user_id };
    },
    factors: (userId) => database.lookup((db) => secondFactorsOf(db, userId)),
    async code({ userId, code, address }) {
      const succeeded = signInLimits(clock).attempt(`second-factor ${userId}`, address);
      if ((await verifyCode(checks, userId, code)) === undefined) fail(WrongCode, "The code is not right, or it was given before; give the next one, or a recovery code.");
      succeeded();
    },
    passkeyRequest: (userId, kept) => passkeyRequest(checks, userId, kept).catch((error: unknown) => {
      if (error instanceof DeclaredError && error.type.code === PasskeysUnavailable.code) return undefined;
      throw error;
    }),
    async passkey({ userId, response, address }) {
      const succeeded = signInLimits(clock).attempt(`second-factor ${userId}`, address);
      await verifyPasskey(checks, userId, response);
      succeeded();
    },
  };
}

import { randomBytes } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import type { Random } from "../../../platform/identity/tokens.ts";

/** What every authenticator app reads (RFC 6238, 1.2; RFC 4226, 4: a secret of 160 bits). */
const parameters = { algorithm: "SHA1", digits: 6, period: 30 };
export const totpPeriodMs = parameters.period * 1000;
const secretBytes = 20;
const window = 1; // one step to either side: RFC 6238, 5.2

export function newTotpSecret(random: Random = randomBytes): Buffer {
  return Buffer.from(random(secretBytes));
}

/** The secret as a person types it: base32 (RFC 4648). */
export function totpSecretText(secret: Uint8Array): string {
  return secretOf(secret).base32;
}

/** `otpauth://totp/QL-RF:ada?issuer=QL-RF&secret=...`, which a QR code carries. */
export function totpUri(secret: Uint8Array, { issuer, account }: { issuer: string; account: string }): string {
  return new TOTP({ ...parameters, issuer, label: account, secret: secretOf(secret) }).toString();
}

/** The time step whose code this is, at `now` (milliseconds since 1970) or one step before or after; else undefined. */
export function totpStep(secret: Uint8Array, code: string, now: number): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined;
  const delta = TOTP.validate({ ...parameters, secret: secretOf(secret), token: code, timestamp: now, window });
  return delta === null ? undefined : TOTP.counter({ period: parameters.period, timestamp: now }) + delta;
}

function secretOf(bytes: Uint8Array): Secret {
  return new Secret({ buffer: Uint8Array.from(bytes).buffer });
}

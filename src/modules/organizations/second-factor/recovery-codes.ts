import { randomBytes } from "node:crypto";
import { randomText, tokenHash, type Random } from "../../../platform/identity/tokens.ts";

const codes = 10;
const characters = 20; // of five bits: 100 random bits, so that a plain hash is enough

/** A set of recovery codes as they are shown, once. */
export function newRecoveryCodes(random: Random = randomBytes): string[] {
  return Array.from({ length: codes }, () => randomText(characters, random).replaceAll(/(.{5})(?=.)/g, "$1-"));
}

/** What is kept of a code. Letters may be large; Crockford's base32 reads O as 0, I and L as 1; spaces and dashes say nothing. */
export function recoveryCodeHash(code: string): Buffer {
  return tokenHash(plain(code));
}

export function isRecoveryCode(text: string): boolean {
  return /^[0-9a-hjkmnp-tv-z]{20}$/.test(plain(text));
}

function plain(code: string): string {
  return code.toLowerCase().replaceAll(/[\s-]/g, "").replaceAll("o", "0").replaceAll(/[il]/g, "1");
}

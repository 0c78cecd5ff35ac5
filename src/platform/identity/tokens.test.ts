import { describe, expect, it } from "vitest";
import { isSessionToken, newApiKey, newSessionToken, oneTimePassword, parseApiKey, randomText, sameHash, tokenHash } from "./tokens.ts";

const counting = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => i);

describe("tokens", () => {
  it("given random bytes, then five bits of each make a character", () => {
    expect(randomText(32, counting)).toBe("0123456789abcdefghjkmnpqrstvwxyz");
  });

  it("given a new session token, then it is one, and its hash is what is stored", () => {
    const { token, hash } = newSessionToken();
    expect(token).toMatch(/^qis_[0-9a-hjkmnp-tv-z]{52}$/);
    expect(isSessionToken(token)).toBe(true);
    expect(hash).toEqual(tokenHash(token));
  });

  it("given a new API key, then its parts are found again", () => {
    const { key, prefix, hash } = newApiKey();
    expect(parseApiKey(key)).toEqual({ prefix, hash });
    expect(key).not.toContain(hash.toString("hex"));
  });

  it.each(["", "qik_", "qik_short_secret", `qik_${"a".repeat(12)}_${"a".repeat(41)}`, `qik_${"a".repeat(12)}_${"u".repeat(40)}`, `qik_${"a".repeat(12)}_${"a".repeat(39)}\0`])("given %j, then it is no API key", (text) => {
    expect(parseApiKey(text)).toBeUndefined();
  });

  it("given hashes, then equal ones are the same, and a length never throws", () => {
    expect(sameHash(tokenHash("a"), tokenHash("a"))).toBe(true);
    expect(sameHash(tokenHash("a"), tokenHash("b"))).toBe(false);
    expect(sameHash(tokenHash("a"), Buffer.alloc(1))).toBe(false);
  });

  it("given a one-time password, then it is four groups of five letters that are told apart", () => {
    expect(oneTimePassword(counting)).toBe("01234-56789-abcde-fghjk");
    expect(oneTimePassword()).not.toBe(oneTimePassword());
  });
});

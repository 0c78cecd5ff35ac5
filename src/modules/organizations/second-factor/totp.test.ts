import { describe, expect, it } from "vitest";
import { isRecoveryCode, newRecoveryCodes, recoveryCodeHash } from "./recovery-codes.ts";
import { newTotpSecret, totpSecretText, totpStep, totpUri } from "./totp.ts";

// RFC 6238, appendix B, SHA-1; its codes have eight digits, of which the last six are the code of six.
const secret = Buffer.from("12345678901234567890");
const vectors: readonly [seconds: number, code: string][] = [
  [59, "94287082"], [1_111_111_109, "07081804"], [1_111_111_111, "14050471"], [1_234_567_890, "89005924"], [2_000_000_000, "69279037"], [20_000_000_000, "65353130"],
];

describe("the code of a time", () => {
  it.each(vectors)("given %i s, then it is %s", (seconds, code) => {
    expect(totpStep(secret, code.slice(2), seconds * 1000)).toBe(Math.floor(seconds / 30));
  });

  it.each([
    ["the step before", 30_000, true], ["the step after", -30_000, true], ["two steps before", 60_000, false], ["two steps after", -60_000, false],
  ])("given the code of %s (%i ms away), then it counts: %s", (_case, ms, counts) => {
    expect(totpStep(secret, "081804", 1_111_111_109_000 + ms)).toBe(counts ? Math.floor(1_111_111_109 / 30) : undefined);
  });

  it.each(["", "08180", "0818044", "081805", "٠٨١٨٠٤"])("given %j, then it is none", (code) => {
    expect(totpStep(secret, code, 1_111_111_109_000)).toBeUndefined();
  });
});

it("given a secret, then its address is what authenticator apps read", () => {
  const uri = new URL(totpUri(secret, { issuer: "QL-RF", account: "ada" }));
  expect([uri.protocol, uri.host, decodeURIComponent(uri.pathname)]).toEqual(["otpauth:", "totp", "/QL-RF:ada"]);
  expect(Object.fromEntries(uri.searchParams)).toEqual({ issuer: "QL-RF", secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", algorithm: "SHA1", digits: "6", period: "30" });
  expect(totpSecretText(secret)).toBe("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  expect(newTotpSecret()).toHaveLength(20);
});

describe("recovery codes", () => {
  it("given a set, then it has ten different codes of 100 bits", () => {
    const codes = newRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{5}-){3}[0-9a-hjkmnp-tv-z]{5}$/);
  });

  it.each(["01ABC-defgh-jkmnp-qrstv", "oi abc defgh jkmnp qrstv", "OLabcdefghjkmnpqrstv"])("given a code typed as %j, then it is the same", (typed) => {
    expect(isRecoveryCode(typed)).toBe(true);
    expect(recoveryCodeHash(typed)).toEqual(recoveryCodeHash("01abc-defgh-jkmnp-qrstv"));
  });

  it.each(["123456", "", "01abc-defgh-jkmnp-qrst", "01abc-defgh-jkmnp-qrstu"])("given %j, then it is none", (text) => {
    expect(isRecoveryCode(text)).toBe(false);
  });
});

import { createDecipheriv, hkdfSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openEnvelope, parseEnvelope, sealEnvelope } from "./envelope.ts";

const key = Buffer.alloc(32, 1);
const random = (bytes: number) => Buffer.alloc(bytes, 2);
const context = { purpose: "p", org: "o" };

describe("the envelope", () => {
  // Written down once: what is in databases must open in every later release.
  const known = "qs1.k1.AgICAgICAgICAgICownRJ8X7kNUbECUDPKyQR-C1xX38";

  it("has the documented format", () => {
    expect(sealEnvelope("sealed", "k1", key, Buffer.from("hello"), context, random)).toBe(known);
  });

  it("opens with nothing but its description", () => {
    const body = Buffer.from(known.split(".")[2] ?? "", "base64url");
    const decipher = createDecipheriv("aes-256-gcm", Buffer.from(hkdfSync("sha256", key, "", "qinfra/seal/1", 32)), body.subarray(0, 12));
    decipher.setAAD(Buffer.from('["qinfra-envelope",1,"sealed","k1","p","o"]')).setAuthTag(body.subarray(-16));
    expect(Buffer.concat([decipher.update(body.subarray(12, -16)), decipher.final()]).toString()).toBe("hello");
  });

  it("tells contexts apart whose text runs together", () => {
    const envelope = sealEnvelope("sealed", "k1", key, Buffer.from("x"), { purpose: 'a","b', org: "c" }, random);
    expect(() => openEnvelope(envelope, "sealed", { purpose: "a", org: 'b","c' }, () => key)).toThrow("was changed, or it was sealed for another place");
  });

  it("names its key without opening", () => {
    expect(parseEnvelope(known)).toMatchObject({ kind: "sealed", keyId: "k1" });
  });
});

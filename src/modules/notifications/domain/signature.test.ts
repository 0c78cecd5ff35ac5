import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { secretBytes, signedHeaders, writtenSecret } from "./signature.ts";

// The example of the specification's libraries: secret, id, timestamp and body, and the signature that they give.
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const message = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at: 1_614_265_330_000, body: '{"test": 2432232314}' };
const signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

describe("signing a webhook", () => {
  it("given the example of Standard Webhooks, then the headers are those that it gives", () => {
    expect(signedHeaders(message, [secret])).toEqual({ "webhook-id": message.id, "webhook-timestamp": "1614265330", "webhook-signature": signature });
  });

  it("given the text of the specification, then it is HMAC-SHA256 over id, timestamp and body, joined by full stops", () => {
    const key = Buffer.from(secret.slice("whsec_".length), "base64");
    const expected = createHmac("sha256", key).update(`${message.id}.1614265330.${message.body}`).digest("base64");
    expect(signature).toBe(`v1,${expected}`);
  });

  it("given two secrets, then there are two signatures, the newer first", () => {
    const other = writtenSecret(new Uint8Array(32).fill(7));
    const both = signedHeaders(message, [other, secret])["webhook-signature"]?.split(" ");
    expect(both).toHaveLength(2);
    expect(both?.[0]).toBe(signedHeaders(message, [other])["webhook-signature"]);
    expect(both?.[1]).toBe(signature);
  });

  it.each([
    ["another id", { ...message, id: "msg_other" }], ["another second", { ...message, at: message.at + 1_000 }], ["another body", { ...message, body: '{"test": 2432232315}' }],
  ])("given %s, then the signature is another", (_what, changed) => {
    expect(signedHeaders(changed, [secret])["webhook-signature"]).not.toBe(signature);
  });

  it("given milliseconds within one second, then the signature is the same", () => {
    expect(signedHeaders({ ...message, at: message.at + 999 }, [secret])["webhook-signature"]).toBe(signature);
  });
});

describe("the written form of a secret", () => {
  it.each([24, 32, 64])("given %d bytes, then they come back", (length) => {
    const bytes = Buffer.alloc(length, 5);
    expect(secretBytes(writtenSecret(bytes))).toEqual(bytes);
  });

  it.each([
    ["no prefix", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], ["another prefix", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], ["too short", writtenSecret(new Uint8Array(23))],
    ["too long", writtenSecret(new Uint8Array(65))], ["no base64", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa%%"], ["base64 of URLs", `whsec_${"_-".repeat(22)}`], ["nothing", "whsec_"],
  ])("given %s, then it is none", (_what, text) => {
    expect(secretBytes(text)).toBeUndefined();
  });
});

import { expect, it } from "vitest";
import { redacted } from "./redact.ts";

const long = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF";

it.each([
  ["ok", [], "ok"],
  ["no such token: s3cr3t-value", ["s3cr3t-value"], "no such token: [redacted]"],
  ["/services/T0/B0/xyz is unknown", ["/services/T0/B0/xyz"], "[redacted] is unknown"],
  ["Authorization: Bearer abc.def.ghi", [], "Authorization: [redacted] [redacted]"],
  ['{"password":"hunter2","user":"me"}', [], '{"password":[redacted],"user":"me"}'],
  ["token=abc&x=1", [], "token=[redacted]&x=1"],
  [`seen whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`, [], "seen [redacted]"],
  [`key ${long} end`, [], "key [redacted] end"],
  ["a\u0000b\u001b[31mc\nd", [], "a b [31mc d"],
  ["the short secret abc", ["abc"], "the short secret abc"],
])("%j without %j", (answer, secrets, shown) => {
  expect(redacted(answer, secrets)).toBe(shown);
});

it("given more, then it is cut off, and no byte is lost to what is no UTF-8", () => {
  expect(redacted("no ".repeat(1_000), []).length).toBeLessThanOrEqual(500);
  expect(redacted(Buffer.from([0xff, 0x41]), [])).toBe("\ufffdA");
});

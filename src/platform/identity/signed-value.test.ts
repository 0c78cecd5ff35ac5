import { expect, test } from "vitest";
import { readSigned, signedValue } from "./signed-value.ts";

const key = Buffer.alloc(32, 1);
const value = { state: "a", next: "/docs", until: 5 };

test("given a value that was signed, then it is read with the same key", () => {
  expect(readSigned(signedValue(value, key), key)).toEqual(value);
});

test.each<[string, string | undefined]>([
  ["nothing", undefined],
  ["no signature", signedValue(value, key).split(".")[0]],
  ["another key's signature", signedValue(value, Buffer.alloc(32, 2))],
  ["another value", `${Buffer.from("{}").toString("base64url")}.${signedValue(value, key).split(".")[1]}`],
  ["more parts", `${signedValue(value, key)}.x`],
  ["no JSON, without a signature", "x.y"],
])("given %s, then it is nothing", (_case, signed) => {
  expect(readSigned(signed, key)).toBeUndefined();
});

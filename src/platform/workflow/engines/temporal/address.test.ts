import { describe, expect, it } from "vitest";
import { temporalAddress } from "./address.ts";

describe("the address of Temporal", () => {
  it.each([
    ["temporal://temporal.internal:7300/production", "temporal.internal:7300", "production"],
    ["temporal://127.0.0.1", "127.0.0.1:7233", "default"],
    ["temporal://127.0.0.1/", "127.0.0.1:7233", "default"],
    ["temporal://[::1]:7233/a%20b", "[::1]:7233", "a b"],
    ["temporals://temporal.internal/production", "temporal.internal:7233", "production"],
  ])("%s", (url, address, namespace) => {
    expect(temporalAddress(url)).toEqual({ address, namespace, encrypted: url.startsWith("temporals") });
  });

  it.each([
    ["http://127.0.0.1:7233/default", "is not one"],
    ["temporal", "is not one"],
    ["temporal:///default", "is not one"],
    ["temporal://me:hidden@127.0.0.1/default", "holds a user or a password"],
    ["temporal://127.0.0.1/default?tls=1", "has something after the namespace"],
    ["temporal://127.0.0.1/one/two", "has more than one namespace"],
    ["temporal://127.0.0.1/%E0%A4%A", "is not one"],
  ])("is refused where it is %s", (url, said) => {
    expect(() => temporalAddress(url)).toThrow(said);
    expect(() => temporalAddress(url)).not.toThrow("hidden");
  });
});

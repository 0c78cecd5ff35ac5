import { describe, expect, it } from "vitest";
import { addressToCall, type Resolve } from "./addresses.ts";

const names: Record<string, readonly string[]> = { "web01.example": ["10.0.0.5", "10.0.0.6"], "sly.example": ["10.0.0.5", "127.0.0.1"], "none.example": [] };
const resolve: Resolve = async (name) => {
  const found = names[name];
  if (found === undefined) throw new Error("ENOTFOUND");
  return found.map((address) => ({ address }));
};

describe("the address that is called", () => {
  it.each([
    ["of a private network", "10.0.4.17", "10.0.4.17"],
    ["of a shared network", "100.64.1.1", "100.64.1.1"],
    ["of a public one", "203.0.114.9", "203.0.114.9"],
    ["of a private IPv6 network", "fd00::17", "fd00::17"],
    ["by name", "web01.example", "10.0.0.5"],
  ])("given a host %s, then it is that one", async (_what, name, address) => {
    expect(await addressToCall(name, { resolve, local: false })).toBe(address);
  });

  it.each([
    ["loopback", "127.0.0.1"], ["loopback by IPv6", "::1"], ["loopback in disguise", "::ffff:127.0.0.1"], ["link-local", "169.254.169.254"], ["link-local by IPv6", "fe80::1"],
    ["no host", "0.0.0.0"], ["many hosts", "224.0.0.1"], ["metadata of AWS", "fd00:ec2::254"], ["the wire server of Azure", "168.63.129.16"], ["metadata of Alibaba", "100.100.100.200"],
    ["a name of which one address is loopback", "sly.example"],
  ])("given %s, then it is refused unless the setting allows it", async (_what, name) => {
    await expect(addressToCall(name, { resolve, local: false })).rejects.toMatchObject({ code: "address-refused" });
    expect(await addressToCall(name, { resolve, local: true })).toBe(names[name]?.[0] ?? name);
  });

  it.each(["none.example", "unknown.example"])("given %s, which does not resolve, then it says so", async (name) => {
    await expect(addressToCall(name, { resolve, local: true })).rejects.toMatchObject({ code: "host-unknown" });
  });
});

import { describe, expect, it } from "vitest";
import { checkUrl, guardedLookup, publicOnly, publicOr, type Address } from "./address-guard.ts";
import { retryAfterMs } from "./retries.ts";

describe("publicOnly", () => {
  it.each(["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::200e"])("allows %s", (address) => {
    expect(publicOnly(address)).toBeUndefined();
  });

  it.each([
    ["this host", "0.0.0.0"], ["this network", "0.1.2.3"], ["loopback", "127.0.0.1"], ["all of loopback", "127.255.255.254"], ["private", "10.0.0.1"], ["private", "172.16.0.1"],
    ["private", "172.31.255.255"], ["private", "192.168.1.1"], ["metadata", "169.254.169.254"], ["metadata (Alibaba)", "100.100.100.200"], ["metadata (Oracle)", "192.0.0.192"],
    ["Azure's wire server", "168.63.129.16"], ["carrier-grade NAT", "100.64.0.1"], ["benchmarking", "198.18.0.1"], ["documentation", "203.0.113.1"], ["multicast", "224.0.0.1"],
    ["reserved", "240.0.0.1"], ["broadcast", "255.255.255.255"], ["unspecified", "::"], ["loopback", "::1"], ["link-local", "fe80::1"], ["unique local", "fc00::1"],
    ["metadata (AWS)", "fd00:ec2::254"], ["site-local", "fec0::1"], ["multicast", "ff02::1"], ["IPv4-mapped", "::ffff:127.0.0.1"], ["IPv4-mapped public", "::ffff:1.1.1.1"],
    ["IPv4-compatible", "::7f00:1"], ["NAT64", "64:ff9b::7f00:1"], ["local NAT64", "64:ff9b:1::a00:1"], ["6to4", "2002:7f00:1::"], ["Teredo", "2001:0:1::1"],
    ["documentation", "2001:db8::1"], ["documentation", "3fff::1"], ["discard", "100::1"], ["no address", "localhost"], ["nothing", ""],
  ])("refuses %s: %s", (_name, address) => {
    expect(publicOnly(address)).toMatch(/^(is|belongs)/);
  });
});

describe("checkUrl", () => {
  it.each([
    "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://169.254.169.254/latest",
    "http://0/", "http://１２７.0.0.1/",
  ])("refuses %s however it is written", (url) => {
    expect(() => checkUrl(url, publicOnly)).toThrow(/is not public|may not|Only public/);
  });

  it.each(["file:///etc/passwd", "ftp://example.org/", "gopher://x", "data:text/plain,x", "javascript:1", "not a url", "", "//example.org", "http://"])("refuses %j", (url) => {
    expect(() => checkUrl(url, publicOnly)).toThrow(/https:\/\//);
  });

  it("refuses credentials in any URL, and does not repeat them", () => {
    for (const rule of [publicOnly, undefined]) {
      expect(() => checkUrl("https://joe:hunter2@example.org/?token=abc", rule)).toThrow(/^The URL of example\.org holds a name or password/);
    }
  });

  it("lets a configured URL reach an internal address", () => {
    expect(checkUrl("http://10.0.0.5:8200/", undefined).host).toBe("10.0.0.5:8200");
  });
});

describe("guardedLookup", () => {
  const lookup = (answer: Address[], all: boolean) =>
    new Promise((resolve, reject) => {
      guardedLookup(async () => answer, publicOnly)("name.example", { all }, (error, address, family) => (error === null ? resolve(all ? address : { address, family }) : reject(error)));
    });
  const good = { address: "1.1.1.1", family: 4 };

  it("gives the socket exactly what it checked", async () => {
    expect(await lookup([good], true)).toEqual([good]);
    expect(await lookup([good], false)).toEqual(good);
  });

  it("refuses a name when any of its addresses is not public, without telling the address", async () => {
    await expect(lookup([good, { address: "10.1.2.3", family: 4 }], true)).rejects.toMatchObject({
      type: { code: "outbound-url-refused" },
      message: expect.stringMatching(/^An address of name\.example is not public \(private\)\. (?!.*10\.1)/),
    });
  });

  it("says that a name without addresses was not found", async () => {
    await expect(lookup([], true)).rejects.toMatchObject({ code: "ENOTFOUND" });
  });
});

describe("publicOr", () => {
  const rule = publicOr(["10.1.2.0/24", "127.0.0.1", "fd00::/8"]);
  it.each(["10.1.2.3", "127.0.0.1", "fd12::1", "::ffff:10.1.2.3", "1.1.1.1"])("allows %s", (address) => {
    expect(rule(address)).toBeUndefined();
  });

  it.each(["10.1.3.1", "127.0.0.2", "fe80::1", "::1", "169.254.169.254", "no address"])("refuses %s as before", (address) => {
    expect(rule(address)).toBe(publicOnly(address));
    expect(rule(address)).toBeDefined();
  });
});

describe("Retry-After", () => {
  const now = Date.UTC(2026, 0, 1);
  it.each([
    ["120", 120_000], ["0", 0], ["Thu, 01 Jan 2026 00:00:05 GMT", 5000], ["Wed, 31 Dec 2025 00:00:00 GMT", 0], ["soon", undefined], ["-1", undefined], [undefined, undefined],
  ])("%j is %j ms", (header, expected) => {
    expect(retryAfterMs(header, now)).toBe(expected);
  });
});

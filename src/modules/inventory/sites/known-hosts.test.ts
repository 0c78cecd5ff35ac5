import { describe, expect, it } from "vitest";
import { opensshKey } from "../testing/openssh-key.ts";
import { addedKey, checkKnownHosts, hostKeyPattern, knownHostsFile, knownName } from "./known-hosts.ts";

const { publicKey: key } = opensshKey();

describe("known hosts", () => {
  it.each([
    ["nothing", ""],
    ["comments and empty lines", "# of the site\n\n"],
    ["a host", `web01,10.0.0.5 ${key}\n`],
    ["a hashed one", `|1|c2FsdA==|aGFzaA== ${key}`],
    ["an authority", `@cert-authority *.example.org ${key} of the site\n`],
    ["a key that was withdrawn", `@revoked * ${key}\n`],
  ])("given %s, then it is taken", (_what, text) => {
    expect(() => checkKnownHosts(text)).not.toThrow();
  });

  it.each([
    ["a key without names", key], ["a name without a key", "web01"], ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----"], ["another mark", `@trust * ${key}`],
  ])("given %s, then the line is named", (_what, text) => {
    expect(() => checkKnownHosts(`# first\n${text}\n`)).toThrow("line 2");
  });

  it("given host keys, then one a line is taken, and no other text", () => {
    const pattern = new RegExp(hostKeyPattern);
    expect([key, `${key} root@web01`, `${key}\n${key}\n`].map((text) => pattern.test(text))).toEqual([true, true, true]);
    expect(["", "web01", `web01 ${key}`, `${key}\nweb02 ${key}`].map((text) => pattern.test(text))).toEqual([false, false, false, false]);
  });

  it("given a host with a key of its own, then the file has both, each on a line", () => {
    expect(knownHostsFile(`web02 ${key}`, knownName("10.0.0.5", 2222), `${key}\n`)).toBe(`web02 ${key}\n[10.0.0.5]:2222 ${key}\n`);
    expect(knownHostsFile("", knownName("web01", 22), null)).toBe("");
  });

  it("given what ssh has added, then it is the key without its name", () => {
    const before = knownHostsFile(`web02 ${key}`, "web01", null);
    expect(addedKey(before, `${before}web01 ${key}\n`)).toBe(key);
    expect(addedKey(before, before)).toBeUndefined();
  });
});

import { describe, expect, it } from "vitest";
import { CollectError } from "./collect-error.ts";
import { sshFailure } from "./ssh-failure.ts";
import { parseSshTarget, targetName } from "./ssh-target.ts";

describe("parseSshTarget", () => {
  it.each([
    ["root@web01", { user: "root", host: "web01" }],
    ["web01", { host: "web01" }],
    ["root@web01.example.org:2222", { user: "root", host: "web01.example.org", port: 2222 }],
    ["ssh://root@web01:22", { user: "root", host: "web01", port: 22 }],
    ["ssh://web01/", { host: "web01" }],
    ["root@192.0.2.1", { user: "root", host: "192.0.2.1" }],
    ["root@[2001:db8::1]:22", { user: "root", host: "2001:db8::1", port: 22 }],
    ["ssh://[fe80::1%eth0]", { host: "fe80::1%eth0" }],
    ["me@example.org@bastion", { user: "me@example.org", host: "bastion" }],
  ])("reads %s", (text, target) => {
    expect(parseSshTarget(text)).toEqual(target);
  });

  it.each([
    "-oProxyCommand=touch x", "--", "root@-oProxyCommand=x", "-l@web01", "ssh://-oProxyCommand=x", "ssh://-x@web01", "", "@web01", "root@", "web01:", "web01:0",
    "web01:65536", "web01:22:22", "web 01", "web01\n", "web01;id", "$(id)@web01", "root@`id`", "2001:db8::1", "[web01]", "http://web01", "root@web01/x", "[-x]",
  ])("refuses %j", (text) => {
    expect(() => parseSshTarget(text)).toThrow(expect.objectContaining({ code: "bad-target" }));
  });

  it("refuses a password without repeating it", () => {
    let error: unknown;
    try {
      parseSshTarget("ssh://root:hunter2@web01");
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "bad-target", message: "The target holds a password." });
    expect(JSON.stringify([(error as CollectError).message, (error as CollectError).next, (error as CollectError).stack])).not.toContain("hunter2");
  });

  it.each(["root@web01:2222", "root@[2001:db8::1]:22", "web01"])("is named as it was given: %s", (text) => {
    expect(targetName(parseSshTarget(text))).toBe(text);
  });
});

describe("sshFailure", () => {
  const target = { user: "root", host: "web01", port: 2222 };

  it.each([
    [255, "ssh: Could not resolve hostname web01: Name or service not known", "host-unknown"],
    [255, "ssh: connect to host web01 port 22: Connection refused", "connection-refused"],
    [255, "ssh: connect to host web01 port 22: Connection timed out", "timeout"],
    [255, "Connection timed out during banner exchange", "timeout"],
    [255, "Timeout, server web01 not responding.", "timeout"],
    [255, "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed.", "host-key-changed"],
    [255, "No ED25519 host key is known for web01 and you have requested strict checking.\nHost key verification failed.", "host-key-unknown"],
    [255, "root@web01: Permission denied (publickey).", "permission-denied"],
    [255, "Received disconnect from 192.0.2.1 port 22:2: Too many authentication failures", "permission-denied"],
    [255, "kex_exchange_identification: Connection closed by remote host", "connection-failed"],
    [255, "", "connection-failed"],
    [127, "bash: line 1: /bin/sh: No such file or directory", "no-sh"],
    [1, "'/bin/sh' is not recognized as an internal or external command", "no-sh"],
    [0, "", "not-our-answer"],
    [1, "This account is currently not available.", "not-our-answer"],
  ])("given status %i and %j, then %s", (exitStatus, stderr, code) => {
    const error = sshFailure(target, { exitStatus, stderr: stderr.split("\n").filter(Boolean) });
    expect(error).toMatchObject({ code, exitStatus, next: expect.any(String) });
    expect(error.message).toContain(`ssh ended with status ${exitStatus}`);
  });

  it("says how to accept a host key", () => {
    expect(sshFailure(target, { exitStatus: 255, stderr: ["Host key verification failed."] }).next).toBe("run `ssh -p 2222 root@web01` once, compare the fingerprint and accept it");
    expect(sshFailure(target, { exitStatus: 255, stderr: ["REMOTE HOST IDENTIFICATION HAS CHANGED"] }).next).toContain("ssh-keygen -R '[web01]:2222'");
  });
});

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { bodyOf } from "./answer-bytes.ts";
import { collectLocal } from "./local.ts";
import { hostOf } from "./ssh.ts";
import { collectScript } from "./ssh-script.ts";
import type { CollectedHost } from "./types.ts";

const mebibytes = 256 * 1024 * 1024;
const shells = [["sh"], ["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"]] as const;
const here = process.platform === "linux";

function isThere(program: string): boolean {
  return spawnSync(program, ["-c", "exit 0"]).error === undefined;
}

describe.skipIf(!here)(`the collectors on this machine${here ? "" : " [skipped: only Linux can be collected]"}`, () => {
  let local: CollectedHost;
  beforeAll(async () => {
    local = await collectLocal();
  });

  it("given this machine, then local names it, its system and its facts", () => {
    expect(local).toMatchObject({ source: "local", name: expect.any(String), os: { id: expect.any(String) }, facts: { kernelName: "Linux", cpus: expect.any(Number), memoryBytes: expect.any(Number) } });
    expect(local.components.length).toBeGreaterThan(0);
  });

  for (const [shell, ...options] of shells) {
    const name = [shell, ...options].join(" ");
    const missing = here && !isThere(shell);
    it.skipIf(missing)(`given the script in ${name}, then it finds what local finds${missing ? ` [skipped: there is no ${shell}]` : ""}`, async () => {
      const nonce = randomBytes(16).toString("hex");
      const { stdout, stderr, status } = spawnSync(shell, [...options, "-s"], { input: collectScript(nonce), maxBuffer: mebibytes, timeout: 60_000 });
      expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: "" });
      const body = await bodyOf(stdout, nonce, mebibytes);
      const host = await hostOf({ host: "here" }, body ?? Buffer.alloc(0), nonce);
      const sorted = ({ components, ...rest }: CollectedHost) => ({ ...rest, source: "any", components: components.map((component) => JSON.stringify(component)).toSorted() });
      expect(sorted(host)).toEqual(sorted(local));
    });

    it.skipIf(missing)(`given a script that arrives in part, then ${name} runs nothing of it${missing ? ` [skipped: there is no ${shell}]` : ""}`, () => {
      const script = collectScript("0".repeat(32));
      const { stdout } = spawnSync(shell, [...options, "-s"], { input: script.slice(0, script.lastIndexOf("qinfra_collect")), timeout: 60_000 });
      expect(stdout.toString()).toBe("");
    });
  }
});

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bodyOf } from "./answer-bytes.ts";
import { collectLocal } from "./local.ts";
import { hostOf } from "./ssh.ts";
import { collectScript, scriptLimits } from "./ssh-script.ts";
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

  describe("given a host that lacks something", () => {
    const nonce = "0".repeat(32);
    let tools: string;
    beforeAll(async () => {
      tools = await mkdtemp(join(tmpdir(), "qinfra-tools-"));
    });
    afterAll(() => rm(tools, { recursive: true, force: true }));

    /** Runs the script where these tools cannot be run. */
    async function without(broken: readonly string[], script = collectScript(nonce)): Promise<Buffer> {
      for (const tool of broken) await writeFile(join(tools, tool), "#!/bin/sh\nexit 127\n", { mode: 0o755 });
      const { stdout } = spawnSync("sh", ["-s"], { input: script, maxBuffer: mebibytes, timeout: 60_000, env: { PATH: `${tools}:${process.env["PATH"] ?? ""}` } });
      for (const tool of broken) await rm(join(tools, tool));
      return stdout;
    }

    it("without gzip the answer comes as it is", async () => {
      const output = await without(["gzip"]);
      expect(output.toString("latin1", 0, 80)).toContain(`qinfra-answer ${nonce} plain\n`);
      const { components } = await hostOf({ host: "here" }, (await bodyOf(output, nonce, mebibytes)) ?? Buffer.alloc(0), nonce);
      expect(components).toHaveLength(local.components.length);
    });

    it.each(["awk", "find"])("without %s it says so", async (tool) => {
      const body = (await bodyOf(await without([tool]), nonce, mebibytes)) ?? Buffer.alloc(0);
      await expect(hostOf({ host: "here" }, body, nonce)).rejects.toMatchObject({ code: "tool-missing", message: expect.stringContaining(`no ${tool}`) });
    });

    it("with more directory entries than the search looks at, it says where it stopped", async () => {
      const script = collectScript(nonce).replace(`entries=${scriptLimits.entries}`, "entries=2");
      const body = (await bodyOf(await without([], script), nonce, mebibytes)) ?? Buffer.alloc(0);
      const { notes } = await hostOf({ host: "here" }, body, nonce);
      expect(notes).toContainEqual({ kind: "not-searched", what: "the search for language packages stopped after 2 entries" });
    });
  });
});

import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { completionScripts } from "./completion/scripts.ts";
import { createCliPlace, type CliPlace } from "./testing/run.ts";

let place: CliPlace;
beforeAll(async () => {
  place = await createCliPlace();
});
afterAll(() => place.remove());

/** What `qinfra __complete` answers: values, and the last line. */
async function answers(words: readonly string[]): Promise<{ values: string[]; files: string }> {
  const { stdout } = await place.run(["__complete", ...words]);
  const lines = stdout.trimEnd().split("\n");
  return { values: lines.slice(0, -1).map((line) => line.split("\t")[0] ?? ""), files: lines.at(-1) ?? "" };
}

describe("qinfra __complete", () => {
  it.each([
    [["thi"], ["things"], ":none"],
    [["things", ""], ["list", "get", "create", "delete", "upload", "compare"], ":none"],
    [["things", "list", "--l"], ["--limit"], ":none"],
    [["things", "list", "--kind", ""], ["small", "large"], ":none"],
    [["things", "list", "--kind", "l"], ["large"], ":none"],
    [["things", "list", "--kind=l"], ["--kind=large"], ":none"],
    [["things", "list", "--limit", "3", "--output", "js"], ["json", "jsonl"], ":none"],
    [["things", "create", "--batch", ""], [], ":file"],
    [["scan", "--rootfs", "/t"], [], ":dir"],
    [["scan", "--sbom", ""], [], ":file"],
    [["scan", "--fail-on", "h"], ["high"], ":none"],
    [["feeds", "import", ""], [], ":file"],
    [["completion", ""], ["bash", "zsh", "fish"], ":none"],
    [["help", "things", "g"], ["get"], ":none"],
    [["things", "nothing", ""], [], ":none"],
    [["things", "list", "--", "--l"], [], ":none"],
  ])("%j", async (words, values, files) => {
    expect(await answers(words)).toEqual({ values, files });
  });

  it("describes what it offers", async () => {
    expect((await place.run(["__complete", "thi"])).stdout).toBe("things\tlist, get, create, delete, upload, compare\n:none\n");
  });
});

describe("the script of bash", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "qinfra-complete-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A real bash calls the function as readline would; a stand-in for qinfra answers and keeps what it was asked. */
  function complete(compWords: readonly string[], answer: string): { replies: string[]; asked: string[] } {
    const program = join(folder, "qinfra");
    writeFileSync(program, `#!/bin/bash\nprintf '%s\\0' "$@" > ${folder}/asked\nprintf -- '${answer}'\n`);
    chmodSync(program, 0o755);
    const words = compWords.map((word) => `'${word}'`).join(" ");
    const script = `${completionScripts.bash}\nCOMP_WORDS=('${program}' ${words})\nCOMP_CWORD=${compWords.length}\n_qinfra\nprintf '%s\\n' "\${COMPREPLY[@]}"\nprintf '%s\\n' ---\ntr '\\0' '\\n' < ${folder}/asked`;
    const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", script], { encoding: "utf8", cwd: folder, timeout: 20_000 });
    expect(stderr).toBe("");
    const [replies = "", asked = ""] = stdout.split("---\n");
    return { replies: replies.split("\n").filter((line) => line !== ""), asked: asked.split("\n").slice(0, -1) };
  }

  it.each([
    ["a word", ["things", "l"], "list\\tList things\\n:none\\n", ["list"], ["__complete", "things", "l"]],
    ["an empty word", ["things", ""], "list\\tx\\nget\\ty\\n:none\\n", ["list", "get"], ["__complete", "things", ""]],
    ["a value after =", ["scan", "--fail-on", "=", "h"], "--fail-on=high\\t\\n:none\\n", ["high"], ["__complete", "scan", "--fail-on=h"]],
    ["nothing after =", ["scan", "--fail-on", "="], "--fail-on=high\\t\\n:none\\n", ["high"], ["__complete", "scan", "--fail-on="]],
    ["a value with a colon", ["scan", "--os", "debian", ":", "1"], "debian:12\\t\\n:none\\n", ["12"], ["__complete", "scan", "--os", "debian:1"]],
    ["a file", ["scan", "--sbom", "ask"], ":file\\n", ["asked"], ["__complete", "scan", "--sbom", "ask"]],
  ])("completes %s", (_what, words, answer, replies, asked) => {
    expect(complete(words, answer)).toEqual({ replies, asked });
  });

  it.each(["bash", "zsh", "fish"] as const)("qinfra completion %s prints it", async (shell) => {
    const { code, stdout } = await place.run(["completion", shell]);
    expect(code).toBe(0);
    expect(stdout).toContain("__complete");
    expect(stdout).not.toContain("@{");
  });
});

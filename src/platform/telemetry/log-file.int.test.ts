import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createLog } from "./log.ts";
import { openLogFile } from "./log-file.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "qinfra-log-"));
  path = join(folder, "qinfra.log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lines = (): string[] => readFileSync(path, "utf8").split("\n").filter(Boolean).map((line) => String((JSON.parse(line) as { msg: string }).msg));

it("given lines of one turn, then they are in the file after it, in order and behind what was there", async () => {
  closeSync(openSync(path, "w"));
  const file = openLogFile(path, () => undefined);
  const log = createLog("info", file);
  for (let i = 0; i < 100; i++) log.info(`line ${i}`);
  await turn();
  expect(lines()).toEqual(Array.from({ length: 100 }, (_, i) => `line ${i}`));
  file.close();
});

it("given a new file, then only its owner can read it", () => {
  openLogFile(path, () => undefined).close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it("given a process that exits in the turn of its last line, then the line is there", () => {
  const program = `import { openLogFile } from ${JSON.stringify(join(import.meta.dirname, "log-file.ts"))};
    openLogFile(${JSON.stringify(path)}, () => {}).write('{"msg":"last"}\\n'); process.exit(0);`;
  spawnSync(process.execPath, ["--input-type=module", "--eval", program]);
  expect(lines()).toEqual(["last"]);
});

it.skipIf(process.platform !== "linux")("given a full disk, then it is said once and the program goes on (/dev/full of Linux)", () => {
  const said: string[] = [];
  const file = openLogFile("/dev/full", (error) => said.push(error.message));
  for (const line of ["a", "b"]) {
    file.write(`${line}\n`);
    file.flush();
  }
  expect(said).toEqual([expect.stringContaining("ENOSPC")]);
  file.close();
});

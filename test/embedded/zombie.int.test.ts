import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { disownPid, inspectPostmaster, removeSocketLock } from "../../src/platform/database/embedded/postmaster-pid.ts";
import { commandLine, isTaken, processToken } from "../../src/platform/database/embedded/process-identity.ts";
import { until } from "./support.ts";

it.skipIf(process.platform !== "linux")("given a killed postmaster that nobody has reaped, when it is inspected, then its id is disowned, or PostgreSQL would take it for alive (Linux)", async () => {
  const data = mkdtempSync(join(tmpdir(), "qinfra-zombie-"));
  // What the shell becomes never waits for the shell's child, which is ended only then: a shell may still wait for it.
  const parent = spawn("/bin/sh", ["-c", "sleep 61 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const zombie = Number(await new Promise<string>((resolve) => createInterface(parent.stdout).once("line", resolve)));
    await until(() => commandLine(parent.pid as number) === "sleep 60", "the shell to become another program");
    process.kill(zombie, "SIGKILL");
    await until(() => processToken(zombie) === undefined, "the child to end");
    expect(isTaken(zombie)).toBe(true);
    writeFileSync(join(data, "postmaster.pid"), `${zombie}\n${data}\n`);
    expect(inspectPostmaster(data)).toEqual({ state: "stale", pid: zombie, reused: true });
    disownPid(data);
    expect(readFileSync(join(data, "postmaster.pid"), "utf8")).not.toContain(`${zombie}\n`);

    const lock = join(data, ".s.PGSQL.5432.lock");
    writeFileSync(lock, `${zombie}\n${data}\n`);
    removeSocketLock(data, 5432, zombie + 1);
    expect(existsSync(lock)).toBe(true);
    removeSocketLock(data, 5432, zombie);
    expect(existsSync(lock)).toBe(false);
  } finally {
    parent.kill("SIGKILL");
    rmSync(data, { recursive: true, force: true });
  }
});

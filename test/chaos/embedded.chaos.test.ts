import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { end, folderIn, processesOf, serve, sweep, temporaryFolder, until, users } from "../embedded/support.ts";

const made: string[] = [];
afterEach(() => sweep(made));

for (const user of users) {
  const title = user.skip === undefined ? user.title : `${user.title} (skipped: ${user.skip})`;
  describe.skipIf(user.skip !== undefined || process.platform !== "linux")(`a program with an embedded PostgreSQL, ${title}`, () => {
    it("leaves no process behind after kill -9, and its next start finds the data", { timeout: 60_000 }, async () => {
      const dataDir = join(temporaryFolder(user, made), "database");
      const first = await serve(user, dataDir);
      expect(processesOf(dataDir).length).toBeGreaterThanOrEqual(3);
      first.child.kill("SIGKILL");
      await until(() => processesOf(dataDir).length === 0, "no process of the folder is left");
      const second = await serve(user, dataDir);
      expect(second.cluster).toBe(first.cluster);
      await end(second);
      await until(() => processesOf(dataDir).length === 0, "no process of the folder is left");
    });

    it("stops a server that was left with its watchdog killed too", { timeout: 60_000 }, async () => {
      const dataDir = join(temporaryFolder(user, made), "database");
      const first = await serve(user, dataDir);
      first.child.kill("SIGSTOP");
      for (const line of processesOf(dataDir).filter((each) => each.includes("qinfra-postgres-watchdog"))) process.kill(Number(line.split(" ")[0]), "SIGKILL");
      first.child.kill("SIGKILL");
      await new Promise((resolve) => first.child.once("exit", resolve));
      expect(processesOf(`-D ${first.cluster}`).length).toBe(1);
      const second = await serve(user, dataDir);
      expect(second.postmaster).not.toBe(first.postmaster);
      expect(processesOf(`-D ${first.cluster}`).length).toBe(1);
      await end(second);
    });

    it("has another watchdog where one was ended", { timeout: 60_000 }, async () => {
      const dataDir = join(temporaryFolder(user, made), "database");
      const served = await serve(user, dataDir);
      const watchdogs = (): string[] => processesOf(dataDir).filter((each) => each.includes("qinfra-postgres-watchdog"));
      const before = watchdogs();
      expect(before.length).toBe(1);
      for (const line of before) process.kill(Number(line.split(" ")[0]), "SIGKILL");
      await until(() => watchdogs().length === 1 && watchdogs()[0] !== before[0], "there is another watchdog");
      served.child.kill("SIGKILL");
      await until(() => processesOf(dataDir).length === 0, "no process of the folder is left");
    });

    if (user.uid === undefined) return;
    it("refuses a cluster of somebody else, and a folder that it may not write", { timeout: 60_000 }, async () => {
      const theirs = folderIn(temporaryFolder({ title: "" }, made), "database", 0o755);
      await expect(serve(user, theirs)).rejects.toThrow(/cannot be kept in .*database.*may not be written/);
      mkdirSync(join(theirs, "cluster"));
      await expect(serve(user, theirs)).rejects.toThrow(/belongs to root.*runs as nobody/);
    });
  });
}

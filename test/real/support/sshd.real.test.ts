import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith, program } from "./peer.ts";
import { startSshd, type Sshd } from "./sshd.ts";

const exec = promisify(execFile);

describeWith(["openssh-server"], "startSshd", () => {
  let sshd: Sshd;
  const ssh = (...command: string[]) => exec(program("openssh-server", "ssh"), [...sshd.sshArguments, ...command], { timeout: 20_000 });

  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());

  it("given its key, then a command runs as the current user", async () => {
    const { stdout } = await ssh("id", "-un");
    expect(stdout.trim()).toBe(sshd.user);
  });

  it("given another host key than the known one, then the client refuses", async () => {
    const other = await startSshd();
    try {
      await writeFile(other.knownHostsFile, `[127.0.0.1]:${other.port} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n`);
      await expect(exec(program("openssh-server", "ssh"), [...other.sshArguments, "true"])).rejects.toThrow("Host key verification failed");
    } finally {
      await other.stop();
    }
  });

  it("given no key, then nobody gets in", async () => {
    const withoutKey = ["-F", "none", "-p", String(sshd.port), "-o", "IdentityFile=none", "-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-o", `UserKnownHostsFile=${sshd.knownHostsFile}`, `${sshd.user}@127.0.0.1`, "true"];
    await expect(exec(program("openssh-server", "ssh"), withoutKey)).rejects.toThrow("Permission denied (publickey)");
  });

  it("given it is stopped, then the port is closed", async () => {
    const other = await startSshd();
    await other.stop();
    const refused = new Promise((resolve) => connect(other.port, "127.0.0.1").once("error", (error: NodeJS.ErrnoException) => resolve(error.code)));
    expect(await refused).toBe("ECONNREFUSED");
  });
});

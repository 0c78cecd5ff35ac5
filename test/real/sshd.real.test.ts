import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CollectError } from "../../src/modules/inventory/collectors/collect-error.ts";
import { collectLocal } from "../../src/modules/inventory/collectors/local.ts";
import { collectSsh, type SshOptions } from "../../src/modules/inventory/collectors/ssh.ts";
import type { CollectedHost } from "../../src/modules/inventory/collectors/types.ts";
import { describeWith, program } from "./support/peer.ts";
import { freePort, temporaryFolder } from "./support/process.ts";
import { startSshd, type Sshd } from "./support/sshd.ts";

const exec = promisify(execFile);
const nonce = "0123456789abcdef0123456789abcdef";

describeWith(["openssh-server"], "collectSsh against a real sshd", () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());

  const collect = ({ user, port, identityFile, knownHostsFile }: Pick<Sshd, "user" | "port" | "identityFile" | "knownHostsFile">, options: SshOptions = {}) =>
    collectSsh(`${user}@127.0.0.1:${port}`, { configFile: "none", program: program("openssh-server", "ssh"), identityFile, knownHostsFile, ...options });

  const failureOf = async (collecting: Promise<CollectedHost>): Promise<CollectError> => {
    const outcome = await collecting.catch((error: unknown) => error);
    if (!(outcome instanceof CollectError)) throw new Error("it did not fail as a collector does", { cause: outcome });
    return outcome;
  };

  async function withSshd<T>(settings: readonly string[], use: (server: Sshd) => Promise<T>): Promise<T> {
    const server = await startSshd(settings);
    try {
      return await use(server);
    } finally {
      await server.stop();
    }
  }

  it("given a host, then its software and facts are those that local finds, in one session", async () => {
    const [remote, local] = [await collect(sshd), await collectLocal()];
    const sorted = ({ components, ...rest }: CollectedHost) => ({ ...rest, components: components.map((component) => JSON.stringify(component)).toSorted() });
    expect(sorted(remote)).toEqual({ ...sorted(local), source: "ssh" });
    expect(remote.components.length).toBeGreaterThan(0);
    expect(sshd.log().match(/Accepted publickey/g)).toHaveLength(1);
    expect(sshd.log().match(/Starting session/g)).toHaveLength(1);
  });

  it("given a URL, then the same host is collected", async () => {
    const { components } = await collectSsh(`ssh://${sshd.user}@127.0.0.1:${sshd.port}`, { configFile: "none", program: program("openssh-server", "ssh"), identityFile: sshd.identityFile, knownHostsFile: sshd.knownHostsFile });
    expect(components.length).toBeGreaterThan(0);
  });

  it("given a login that prints and writes to standard error, then the host is collected", () =>
    withSshd(["ForceCommand echo Welcome; echo careful >&2; exec /bin/sh -s"], async (server) => {
      expect((await collect(server)).components.length).toBeGreaterThan(0);
    }));

  it("given another key than the host's, then permission-denied", () =>
    withSshd([], async (other) => {
      const error = await failureOf(collect(sshd, { identityFile: other.identityFile }));
      expect(error).toMatchObject({ code: "permission-denied", exitStatus: 255, stderr: [expect.stringContaining("Permission denied (publickey)")] });
    }));

  it("given a closed port, then connection-refused", async () => {
    expect(await failureOf(collect({ ...sshd, port: await freePort() }))).toMatchObject({ code: "connection-refused", exitStatus: 255 });
  });

  it("given a name that does not resolve, then host-unknown", async () => {
    const error = await failureOf(collectSsh("nobody@web01.invalid", { configFile: "none", program: program("openssh-server", "ssh") }));
    expect(error).toMatchObject({ code: "host-unknown", exitStatus: 255 });
  });

  it("given another host key than the known one, then host-key-changed and how to go on", () =>
    withSshd([], async (server) => {
      const otherKey = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
      await writeFile(server.knownHostsFile, `[127.0.0.1]:${server.port} ssh-ed25519 ${otherKey}\n`);
      const error = await failureOf(collect(server));
      expect(error).toMatchObject({ code: "host-key-changed", next: expect.stringContaining(`ssh-keygen -R '[127.0.0.1]:${server.port}'`) });
    }));

  it("given a host key that is not known, then host-key-unknown, and it stays unknown", () =>
    withSshd([], async (server) => {
      await writeFile(server.knownHostsFile, "");
      for (const _ of ["first", "again"]) {
        expect(await failureOf(collect(server))).toMatchObject({ code: "host-key-unknown", next: expect.stringContaining(`ssh -p ${server.port}`) });
      }
    }));

  it("given files whose names hold spaces and percent signs, then they are taken as they are", async () => {
    const folder = await temporaryFolder("a b%h");
    try {
      const knownHostsFile = join(folder.path, "known %u");
      await writeFile(knownHostsFile, "");
      expect(await failureOf(collect(sshd, { knownHostsFile }))).toMatchObject({ code: "host-key-unknown" });
    } finally {
      await folder.remove();
    }
  });

  it("given an identity file that is not there, then bad-option and no connection", async () => {
    expect(await failureOf(collect(sshd, { identityFile: "nowhere/id" }))).toMatchObject({ code: "bad-option", message: "The identity file nowhere/id cannot be read." });
  });

  it("given a program that is not there, then no-ssh", async () => {
    expect(await failureOf(collect(sshd, { program: "qinfra-no-such-ssh" }))).toMatchObject({ code: "no-ssh" });
  });

  it.each([
    ["a server that accepts and says nothing", 1_500],
    ["less time than ssh takes to give up by itself", 500],
  ])("given %s, then timeout", async (_, timeoutMs) => {
    const sockets = new Set<Socket>();
    const hung = createServer((socket) => sockets.add(socket));
    await new Promise<void>((resolve) => hung.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = hung.address() as { port: number };
      expect(await failureOf(collect({ ...sshd, port }, { timeoutMs }))).toMatchObject({ code: "timeout" });
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => hung.close(resolve));
    }
  });

  it("given a host that lets in and never answers, then timeout, and being cancelled ends it at once", () =>
    withSshd(["ForceCommand sleep 600"], async (server) => {
      expect(await failureOf(collect(server, { timeoutMs: 3_000 }))).toMatchObject({ code: "timeout", message: expect.stringContaining("did not answer after 3 s") });
      expect(await failureOf(collect(server, { signal: AbortSignal.timeout(300) }))).toMatchObject({ code: "cancelled" });
    }));

  it.each([
    ["a forced command that is another", "echo hello", "not-our-answer", 0],
    ["an account that is closed", "echo 'This account is not available'; exit 1", "not-our-answer", 1],
    ["no shell", "/no/such/sh -s", "no-sh", 127],
    ["an answer that is cut", `printf 'qinfra-answer %s plain\\nv node\\n.web01\\n' ${nonce}; exit 3`, "truncated-answer", 3],
    ["an answer that sends the script back", "cat", "not-our-answer", 0],
    ["an answer of another kind of data", `printf 'qinfra-answer %s gzip\\nhello, this is no gzip' ${nonce}`, "malformed-answer", undefined],
    ["an answer without end", "cat /dev/zero", "too-large", undefined],
    ["a small answer that inflates without end", `printf 'qinfra-answer %s gzip\\n' ${nonce}; head -c 20000000 /dev/zero | gzip`, "too-large", undefined],
  ])("given %s, then it is refused", (_, command, code, exitStatus) =>
    withSshd([`ForceCommand ${command}`], async (server) => {
      expect(await failureOf(collect(server, { nonce, maxBytes: 2_000_000, timeoutMs: 30_000 }))).toMatchObject({ code, exitStatus });
    }));

  it("given qinfra scan, then the host is collected and matched", async () => {
    const folder = await temporaryFolder("scan");
    try {
      const feed = join(folder.path, "feed.jsonl");
      await writeFile(feed, `${JSON.stringify({ id: "DEBIAN-CVE-2026-1", modified: "2026-01-01T00:00:00Z", affected: [{ package: { ecosystem: "Debian:12", name: "qinfra-none" }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }] }] }] })}\n`);
      const { stdout } = await exec(process.execPath, [
        "src/main.ts", "scan", "--host", `${sshd.user}@127.0.0.1:${sshd.port}`, "--identity", sshd.identityFile, "--known-hosts", sshd.knownHostsFile, "--advisories", feed, "--output", "json",
      ], { env: { ...process.env, QINFRA_HOME: folder.path }, maxBuffer: 64 * 1024 * 1024 }).catch((error: { stdout: string }) => error);
      const { name, components } = await collectLocal();
      expect(JSON.parse(stdout)).toMatchObject({ mode: "local", target: { kind: "host", name }, summary: { packages: components.length } });
    } finally {
      await folder.remove();
    }
  });
});

import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { program } from "./peer.ts";
import { freePort, startServer, temporaryFolder, untilReady } from "./process.ts";

const exec = promisify(execFile);

export interface Sshd {
  host: "127.0.0.1";
  port: number;
  /** The account that runs the tests; the only way in is `identityFile`. */
  user: string;
  identityFile: string;
  /** Holds the server's host key, for `StrictHostKeyChecking=yes`. */
  knownHostsFile: string;
  /** Arguments for ssh(1) that reach this server and nothing else. */
  sshArguments: readonly string[];
  log(): string;
  stop(): Promise<void>;
}

/** A real sshd on a free port of loopback, with keys made for this one start. `settings` are further lines of sshd_config. */
export async function startSshd(settings: readonly string[] = []): Promise<Sshd> {
  const folder = await temporaryFolder("sshd");
  const at = (name: string) => join(folder.path, name);
  const port = await freePort();
  const keygen = program("openssh-server", "ssh-keygen");
  for (const name of ["host", "id"]) await exec(keygen, ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", at(name)]);
  await copyFile(at("id.pub"), at("authorized_keys"));
  const [type, key] = (await readFile(at("host.pub"), "utf8")).split(" ");
  await writeFile(at("known_hosts"), `[127.0.0.1]:${port} ${type} ${key}\n`);
  await writeFile(at("sshd_config"), configuration(folder.path, port, settings));
  // Where no service has run yet, root's sshd misses the folder of its unprivileged half.
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  const server = startServer(program("openssh-server", "sshd"), ["-D", "-e", "-f", at("sshd_config")]);
  const stop = async () => {
    await server.stop();
    await folder.remove();
  };
  try {
    await untilReady(server, "sshd", () => greets(port));
  } catch (error) {
    await stop();
    throw error;
  }
  const user = userInfo().username;
  return {
    host: "127.0.0.1",
    port,
    user,
    identityFile: at("id"),
    knownHostsFile: at("known_hosts"),
    sshArguments: [
      "-F", "none", "-p", String(port), "-i", at("id"), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
      "-o", `UserKnownHostsFile=${at("known_hosts")}`, "-o", "StrictHostKeyChecking=yes", `${user}@127.0.0.1`,
    ],
    log: server.log,
    stop,
  };
}

/** Type and key, as ssh-keyscan shows them. */
export async function hostKeyOf({ knownHostsFile }: Pick<Sshd, "knownHostsFile">): Promise<string> {
  return (await readFile(knownHostsFile, "utf8")).trim().split(" ").slice(1, 3).join(" ");
}

/** StrictModes is off because the folder lies under a temporary one that others may write. */
function configuration(folder: string, port: number, settings: readonly string[]): string {
  return [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(folder, "host")}`,
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    `PidFile ${join(folder, "sshd.pid")}`,
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin prohibit-password",
    "UsePAM no",
    "StrictModes no",
    "LogLevel VERBOSE",
    ...settings,
    "",
  ].join("\n");
}

/** Whether the port answers with the identification string of RFC 4253, 4.2. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once("error", () => done(false));
    socket.once("data", (data) => done(data.toString().startsWith("SSH-2.0-")));
  });
}

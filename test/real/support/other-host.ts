import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Mounts need root, or a user namespace in which one is root. */
const unshare = process.getuid?.() === 0 ? "unshare -m" : "unshare -r -m";

/** Why no host can be made to look like another one here; undefined where it can. */
export function otherHostsMissing(): string | undefined {
  const { status } = spawnSync("/bin/sh", ["-c", `${unshare} mount --bind /etc/hostname /etc/hostname`]);
  return status === 0 ? undefined : "this account may not mount in a namespace of its own (unshare -m)";
}

/**
 * A command for sshd's ForceCommand: runs the script from standard input where the system is Debian 12 with these
 * packages and no others. What is mounted is seen by that command alone.
 */
export async function otherHost(folder: string, packages: readonly (readonly [name: string, version: string])[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  const [status, release] = [join(folder, "status"), join(folder, "os-release")];
  await writeFile(release, 'ID=debian\nVERSION_ID="12"\n');
  await writeFile(status, packages.map(([name, version]) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`).join("\n"));
  const empty = ["/usr/local", "/opt", "/srv"].map((path) => `mount -t tmpfs none ${path}`);
  const mounts = [...empty, `mount --bind ${release} /usr/lib/os-release`, `mount --bind ${status} /var/lib/dpkg/status`];
  return `exec ${unshare} /bin/sh -c '${mounts.join(" && ")} && exec /bin/sh -s'`;
}

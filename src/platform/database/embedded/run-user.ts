import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { DeclaredError } from "../../errors.ts";
import { ForeignOwner, StartFailed } from "./errors.ts";

/** Whom PostgreSQL runs as. `uid` and `gid` go to spawn; both are undefined where it runs as this process does. */
export interface RunUser {
  uid: number | undefined;
  gid: number | undefined;
  name: string;
}

export interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
}

/** passwd(5), one `name:password:uid:gid:...` a line. */
export function parsePasswd(text: string): PasswdEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name, , uid, gid] = line.split(":");
    if (name === undefined || name.startsWith("#") || !/^-?\d+$/.test(uid ?? "") || !/^-?\d+$/.test(gid ?? "")) return [];
    return [{ name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }];
  });
}

/**
 * PostgreSQL refuses to run as root: root lends it the owner of an existing cluster, else `postgres`, else `nobody`.
 * Anybody else runs it as themselves, and may do so only on a cluster of their own.
 */
export function chooseRunUser(clusterFolder: string, me: number = process.getuid?.() ?? -1, passwd: readonly PasswdEntry[] = readPasswd()): RunUser {
  const owner = statSync(clusterFolder, { throwIfNoEntry: false });
  const nameOf = (uid: number): string => passwd.find((entry) => entry.uid === uid)?.name ?? `uid ${uid}`;
  if (me !== 0) {
    if (owner === undefined || me === -1 || owner.uid === me) return { uid: undefined, gid: undefined, name: nameOf(me) };
    throw new DeclaredError(
      ForeignOwner,
      `The database in ${clusterFolder} belongs to ${nameOf(owner.uid)}, and this program runs as ${nameOf(me)}. ` +
        `Run it as ${nameOf(owner.uid)}, give the folder away (chown -R ${me} ${clusterFolder}), or choose another data folder.`,
      { path: clusterFolder, owner: owner.uid },
    );
  }
  if (owner?.uid === 0) {
    throw new DeclaredError(
      ForeignOwner,
      `The database in ${clusterFolder} belongs to root, and PostgreSQL refuses to run as root. Give it to another user: chown -R ${fallbackUser(passwd).name} ${clusterFolder}`,
      { path: clusterFolder, owner: 0 },
    );
  }
  if (owner !== undefined) {
    return { uid: owner.uid, gid: passwd.find((entry) => entry.uid === owner.uid)?.gid ?? owner.gid, name: nameOf(owner.uid) };
  }
  return fallbackUser(passwd);
}

function fallbackUser(passwd: readonly PasswdEntry[]): PasswdEntry {
  const entry = passwd.find(({ name }) => name === "postgres") ?? passwd.find(({ name }) => name === "nobody");
  if (entry !== undefined) return entry;
  throw new DeclaredError(StartFailed, "PostgreSQL refuses to run as root, and /etc/passwd has neither a user postgres nor nobody to run it as. Add one, run this as an ordinary user, or set DATABASE_URL.");
}

function readPasswd(): PasswdEntry[] {
  try {
    return parsePasswd(readFileSync("/etc/passwd", "utf8"));
  } catch {
    return [];
  }
}

/** Whether that user can enter a folder, asked of the system itself, so that groups, lists and mounts count too. */
export function canEnter(folder: string, user: RunUser): boolean {
  const result = spawnSync("/bin/sh", ["-c", 'cd "$1"', "sh", folder], { ...credentials(user), cwd: "/", env: {}, stdio: "ignore", timeout: 5_000 });
  return result.status === 0;
}

export function credentials(user: RunUser): { uid?: number; gid?: number } {
  return user.uid === undefined || user.gid === undefined ? {} : { uid: user.uid, gid: user.gid };
}

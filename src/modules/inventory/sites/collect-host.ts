import { lookup } from "node:dns/promises";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collectSsh } from "../collectors/ssh.ts";
import type { CollectedHost } from "../collectors/types.ts";
import { addressToCall, type Resolve } from "./addresses.ts";
import { addedKey, knownHostsFile, knownName } from "./known-hosts.ts";

export interface HostAccess {
  user: string;
  /** A name or an address. */
  address: string;
  port: number;
  /** In OpenSSH's format. */
  privateKey: string;
  /** known_hosts(5) of the site. */
  knownHosts: string;
  hostKey: string | null;
  /** Takes the key of a host that has none yet. */
  trustOnFirstUse: boolean;
}

export interface CollectOptions {
  signal: AbortSignal;
  /** Lets loopback and link-local addresses be called. */
  local: boolean;
  resolve?: Resolve;
}

/** For one host, and of its answer. */
const limits = { timeoutMs: 60_000, maxBytes: 64 * 1024 * 1024 };

/**
 * Collects one host of a site over ssh(1), with nothing but what the site says: no configuration, agent or known hosts of
 * the account that runs the server. `hostKey` is one that was taken on first use. Errors: CollectError, InputError, AddressRefused.
 */
export async function collectHostOfSite(access: HostAccess, { signal, local, resolve = systemResolve }: CollectOptions): Promise<{ host: CollectedHost; hostKey?: string }> {
  const { user, address, port, hostKey } = access;
  const name = knownName(address, port);
  const [call, known] = [await addressToCall(address, { resolve, local }), knownHostsFile(access.knownHosts, name, hostKey)];
  const first = access.trustOnFirstUse && hostKey === null;
  return withFiles({ privateKey: access.privateKey, known }, async (files) => {
    const host = await collectSsh(`${user}@${address.includes(":") ? `[${address}]` : address}:${port}`, {
      ...files, ...limits, signal, configFile: "none",
      settings: [
        `HostName=${call}`, `HostKeyAlias=${name}`, "IdentityAgent=none", "HashKnownHosts=no", "UpdateHostKeys=no", ...(first ? ["StrictHostKeyChecking=accept-new"] : []),
      ],
    });
    const taken = first ? addedKey(known, await readFile(files.knownHostsFile, "utf8")) : undefined;
    return { host, ...(taken !== undefined && { hostKey: taken }) };
  });
}

const systemResolve: Resolve = (name) => lookup(name, { all: true });

/**
 * The private key has no name in any folder while it is read: ssh opens it through /proc by this process's descriptor, so
 * that a server that is killed leaves none behind. Where there is no /proc it lies in a folder of its own, mode 0700.
 */
async function withFiles<T>({ privateKey, known }: { privateKey: string; known: string }, use: (files: { identityFile: string; knownHostsFile: string }) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "qinfra-scan-"));
  try {
    const knownHostsFile = join(folder, "known_hosts");
    await writeFile(knownHostsFile, known, { mode: 0o600 });
    const path = join(folder, "key");
    const key = await open(path, "wx+", 0o600);
    try {
      const nameless = process.platform === "linux";
      if (nameless) await rm(path);
      await key.writeFile(privateKey);
      return await use({ identityFile: nameless ? `/proc/${process.pid}/fd/${key.fd}` : path, knownHostsFile });
    } finally {
      await key.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

import { readFileSync, statSync } from "node:fs";
import { fail } from "../errors.ts";
import type { VaultClient } from "./vault-client.ts";
import { SecretsUnavailable, SecretsUrlInvalid } from "./types.ts";

export interface VaultTokenSettings {
  token?: string;
  /** Holds the token and is replaced when it changes, as Vault's agent does. */
  tokenFile?: string;
}

/** Runs something later without keeping the process alive; the answer takes it back. */
export type Later = (ms: number, run: () => void) => () => void;

export const systemLater: Later = (ms, run) => {
  const timer = setTimeout(run, ms);
  timer.unref();
  return () => clearTimeout(timer);
};

export interface VaultTokens {
  current(): string;
  /** Reads the file again; true when another token is there now. */
  reread(): boolean;
  /** Renews the token at two thirds of its lease, for as long as it may be renewed. */
  keepAlive(client: VaultClient): Promise<void>;
  close(): void;
}

const mostLeaseSeconds = 86_400;
const retryMs = 15_000;

/** Errors: SecretsUrlInvalid without a token, SecretsUnavailable with a file that cannot be read. */
export function openVaultTokens({ token, tokenFile }: VaultTokenSettings, later: Later = systemLater): VaultTokens {
  if (token === undefined && tokenFile === undefined) fail(SecretsUrlInvalid, "SECRETS_URL=vault: needs a token. Set VAULT_TOKEN, or VAULT_TOKEN_FILE to a file that holds one.");
  let stamp = tokenFile === undefined ? "" : stampOf(tokenFile);
  let held = tokenFile === undefined ? (token ?? "") : read(tokenFile);
  let cancel: () => void = () => undefined;
  let closed = false;

  function reread(): boolean {
    if (tokenFile === undefined) return false;
    const before = held;
    stamp = stampOf(tokenFile);
    held = read(tokenFile);
    return held !== before;
  }

  return {
    current() {
      if (tokenFile !== undefined && stampOf(tokenFile) !== stamp) reread();
      return held;
    },
    reread,
    async keepAlive(client) {
      async function renew(): Promise<void> {
        // A renewal that fails is tried again until the lease has ended; then a call says that the token is refused.
        const seconds = await client.call("PUT", "auth/token/renew-self", {}).then(() => leaseOf(client), () => undefined);
        plan(seconds === undefined ? retryMs : seconds === 0 ? undefined : seconds * 667);
      }
      function plan(ms: number | undefined): void {
        if (ms !== undefined && !closed) cancel = later(ms, () => void renew());
      }
      const seconds = await leaseOf(client);
      plan(seconds === 0 ? undefined : seconds * 667);
    },
    close() {
      closed = true;
      cancel();
    },
  };
}

/** Seconds until the token ends, at most a day; 0 where it does not end, cannot be renewed, or may not ask. */
async function leaseOf(client: VaultClient): Promise<number> {
  const { ttl, renewable } = await client.call("GET", "auth/token/lookup-self").catch(() => ({}) as Record<string, unknown>);
  return renewable === true && typeof ttl === "number" && ttl > 0 ? Math.min(ttl, mostLeaseSeconds) : 0;
}

function read(path: string): string {
  try {
    const text = readFileSync(path, "utf8").trim();
    if (/^[\x21-\x7e]{1,4096}$/.test(text)) return text;
  } catch (error) {
    fail(SecretsUnavailable, `The file of VAULT_TOKEN_FILE cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"}). Let the user that runs the platform read it.`);
  }
  return fail(SecretsUnavailable, "The file of VAULT_TOKEN_FILE holds no token. It has the token alone, on one line.");
}

function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? "" : `${found.ino}:${found.mtimeNs}:${found.size}`;
}

import type { ConnectionOptions } from "node:tls";
import type { TlsMaterial } from "./tls-files.ts";

export interface EngineTls extends ConnectionOptions {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * How engines (PostgreSQL, Redis, OPA, Vault, S3) are reached in a private network: their certificate must be of its
 * authority, and they are shown ours, as it is when the connection is made. Undefined without TLS_CA, when the system's
 * authorities decide.
 */
export function engineTls(current: () => TlsMaterial | undefined): EngineTls | undefined {
  const first = current();
  if (first?.ca === undefined) return undefined;
  const { ca } = first;
  return {
    get ca() {
      return current()?.ca ?? ca;
    },
    get cert() {
      return (current() ?? first).cert;
    },
    get key() {
      return (current() ?? first).key;
    },
    minVersion: "TLSv1.2", rejectUnauthorized: true,
  };
}

/** The same for a library that marks the key as hidden in what it is given, as pg does: others would no longer see it. */
export function copyOf(tls: EngineTls): EngineTls {
  return Object.defineProperties({}, Object.getOwnPropertyDescriptors(tls)) as EngineTls;
}

import type { ConnectionOptions } from "node:tls";
import type { TlsMaterial } from "./tls-files.ts";

/**
 * How engines (PostgreSQL, Redis, OPA, Vault, S3) are reached in a private network: their certificate must be of its
 * authority, and they are shown ours. Undefined without TLS_CA, when the system's authorities decide.
 */
export function engineTls(material: TlsMaterial | undefined): (ConnectionOptions & { ca: string; cert: string; key: string }) | undefined {
  if (material?.ca === undefined) return undefined;
  return { ca: material.ca, cert: material.cert, key: material.key, minVersion: "TLSv1.2", rejectUnauthorized: true };
}

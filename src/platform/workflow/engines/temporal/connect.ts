import type { TemporalPackages } from "./packages.ts";

/** PEM texts: the authority of Temporal's certificate, and what it is shown. */
export interface TemporalTls {
  ca: string;
  cert: string;
  key: string;
}

/** Errors: says which server does not answer. `true` is TLS by the system's authorities. */
export async function connectTemporal({ worker: { NativeConnection } }: TemporalPackages, address: string, tls: TemporalTls | boolean): Promise<import("@temporalio/worker").NativeConnection> {
  try {
    return await NativeConnection.connect({ address, tls: typeof tls === "boolean" ? tls : { serverRootCACertificate: Buffer.from(tls.ca), clientCertPair: { crt: Buffer.from(tls.cert), key: Buffer.from(tls.key) } } });
  } catch (error) {
    throw new Error(`No Temporal server answers at ${address}, which WORKFLOWS_URL names: ${said(error)}`, { cause: error });
  }
}

export function said(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}

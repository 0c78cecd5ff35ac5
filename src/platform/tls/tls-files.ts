import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { errorType, fail } from "../errors.ts";

export const TlsUnusable = errorType("tls-unusable", 503, "The certificate cannot be used");

/** Where the PEM files lie. */
export interface TlsFiles {
  cert: string;
  key: string;
  /** Authority of the private network. */
  ca?: string;
}

/** PEM texts that belong together. */
export interface TlsMaterial {
  cert: string;
  key: string;
  ca?: string;
}

/** Reads and checks the files: key and certificate belong together and the certificate is valid now. Errors: TlsUnusable. */
export async function readTlsFiles(files: TlsFiles, clock: Clock): Promise<TlsMaterial> {
  const [cert, key, ca] = await Promise.all([text("TLS_CERT", files.cert), text("TLS_KEY", files.key), files.ca === undefined ? undefined : text("TLS_CA", files.ca)]);
  const certificate = parsed("TLS_CERT", files.cert, "a certificate", () => new X509Certificate(cert));
  const privateKey = parsed("TLS_KEY", files.key, "an unencrypted private key", () => createPrivateKey(key));
  if (ca !== undefined) parsed("TLS_CA", files.ca ?? "", "a certificate", () => new X509Certificate(ca));
  if (!certificate.checkPrivateKey(privateKey)) fail(TlsUnusable, `The key in ${files.key} (TLS_KEY) is not that of the certificate in ${files.cert} (TLS_CERT). Name two files that belong together.`);
  const now = clock.now();
  if (Date.parse(certificate.validTo) < now) fail(TlsUnusable, `The certificate in ${files.cert} (TLS_CERT) was valid until ${certificate.validTo}. Put a new one there.`);
  if (Date.parse(certificate.validFrom) > now) fail(TlsUnusable, `The certificate in ${files.cert} (TLS_CERT) is valid from ${certificate.validFrom} on only. Check the clock of this machine.`);
  return { cert, key, ...(ca === undefined ? {} : { ca }) };
}

async function text(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    fail(TlsUnusable, `${path} (${setting}) cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}). Name a PEM file that this user may read.`);
  }
}

function parsed<T>(setting: string, path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    fail(TlsUnusable, `${path} (${setting}) holds no ${what.replace(/^an? /, "")}. It must be ${what} in PEM.`);
  }
}

/**
 * Looks at the files again and again, and tells of new ones once they belong together. Half-written or wrong ones change
 * nothing: the certificate that was read last stays, and the log says why.
 */
export function watchTlsFiles(
  files: TlsFiles, ports: { clock: Clock; log: Logger; sleep(ms: number, signal: AbortSignal): Promise<void>; everyMs?: number }, first: TlsMaterial, changed: (material: TlsMaterial) => void,
): { stop(): Promise<void> } {
  const { clock, log, sleep, everyMs = 5_000 } = ports;
  const stopping = new AbortController();
  let last = JSON.stringify(first);
  let complaint = "";

  async function look(): Promise<void> {
    try {
      const material = await readTlsFiles(files, clock);
      const found = JSON.stringify(material);
      complaint = "";
      if (found === last) return;
      last = found;
      changed(material);
      log.info({ cert: files.cert, validTo: new X509Certificate(material.cert).validTo }, "the certificate was replaced");
    } catch (error) {
      const { message } = error as Error;
      if (message !== complaint) log.error({ err: error }, "the certificate was not replaced; the one before is used");
      complaint = message;
    }
  }

  const running = (async () => {
    for (;;) {
      await sleep(everyMs, stopping.signal);
      if (stopping.signal.aborted) return;
      await look();
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

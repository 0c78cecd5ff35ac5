import { systemClock } from "../platform/clock.ts";
import type { Config } from "../platform/config.ts";
import { engineTls, readTlsFiles, type EngineTls } from "../platform/tls/index.ts";

/** For a command that runs once and reaches engines as a server would: how, where TLS_CA is set. */
export async function enginesOf({ tls }: Config): Promise<EngineTls | undefined> {
  if (tls === undefined) return undefined;
  const material = await readTlsFiles(tls, systemClock);
  return engineTls(() => material);
}

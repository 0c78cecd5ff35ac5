import { join } from "node:path";
import { systemClock } from "../platform/clock.ts";
import { parseConfig, type Config } from "../platform/config.ts";
import { fail } from "../platform/errors.ts";
import { openSecrets, SecretsUrlInvalid, type OpenedSecrets } from "../platform/secrets/index.ts";
import { createLog } from "../platform/telemetry/log.ts";
import type { CliIo } from "../surfaces/cli/index.ts";
import type { EngineTls } from "../platform/tls/index.ts";
import { openPlatformDatabase } from "./database.ts";
import { enginesOf } from "./engines.ts";
import { rewrapAll } from "./rewrap.ts";
import { sealedColumns } from "./sealed-columns.ts";

/** `qinfra keys rewrap`. Exit code 1 when something could not be opened. */
export async function runRewrap(io: Pick<CliIo, "env" | "dataDir" | "stdout" | "stderr">, fromUrl: string | undefined): Promise<number> {
  const config = parseConfig(io.env, io.dataDir);
  const engines = await enginesOf(config);
  const from = fromUrl === undefined ? undefined : await openFrom(config, fromUrl, engines);
  let to: OpenedSecrets | undefined;
  try {
    to = await openSecrets(config, { dataExists: true, clock: systemClock, ...given(engines), ...(from === undefined ? {} : { identity: from.identity() }) });
    const opened = await openPlatformDatabase(config, to, createLog("silent"), engines);
    try {
      const ports = { database: opened.database, columns: sealedColumns, to, ...(from === undefined ? {} : { from }) };
      const all = await rewrapAll(ports, ({ column, seen, moved }) => io.stdout.write(`${column.padEnd(44)} ${String(seen).padStart(8)} seen ${String(moved).padStart(8)} rewrapped\n`));
      const failed = all.flatMap(({ column, failed: rows }) => rows.map(({ key, why }) => `${column} ${key}: ${why}\n`));
      for (const line of failed.slice(0, 20)) io.stderr.write(line);
      if (failed.length > 0) io.stderr.write(`${failed.length} could not be opened and stay as they are.\n`);
      return failed.length > 0 ? 1 : 0;
    } finally {
      await opened.close();
    }
  } finally {
    to?.close();
    from?.close();
  }
}

async function openFrom(config: Config, secretsUrl: string, engines: EngineTls | undefined): Promise<OpenedSecrets> {
  if (secretsUrl === config.secretsUrl) fail(SecretsUrlInvalid, "--from is what SECRETS_URL is now. Set SECRETS_URL to where the keys go, or leave --from out.");
  return openSecrets({ secretsUrl, keysDir: join(config.dataDir, "keys"), vault: config.vault }, { dataExists: true, clock: systemClock, ...given(engines) });
}

function given(tls: EngineTls | undefined): { tls?: EngineTls } {
  return tls === undefined ? {} : { tls };
}

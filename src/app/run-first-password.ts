import { systemClock } from "../platform/clock.ts";
import { parseConfig } from "../platform/config.ts";
import { unspentPassword } from "../modules/organizations/index.ts";
import { openSecrets } from "../platform/secrets/index.ts";
import { createLog } from "../platform/telemetry/log.ts";
import type { CliIo } from "../surfaces/cli/index.ts";
import { openPlatformDatabase } from "./database.ts";
import { enginesOf } from "./engines.ts";

/** `qinfra first-password`. Exit code 1 when it was used. Nothing but the password goes to standard output. */
export async function runFirstPassword(io: Pick<CliIo, "env" | "dataDir" | "stdout" | "stderr">): Promise<number> {
  const config = parseConfig(io.env, io.dataDir);
  const engines = await enginesOf(config);
  const secrets = await openSecrets(config, { dataExists: true, clock: systemClock, ...(engines === undefined ? {} : { tls: engines }) });
  try {
    const opened = await openPlatformDatabase(config, secrets, createLog("silent"), engines);
    try {
      const unspent = await unspentPassword(opened.database, secrets);
      if (unspent === undefined) {
        io.stderr.write("The one-time password was used. Sign in with the password that was set, or have another administrator reset it.\n");
        return 1;
      }
      io.stderr.write(`One-time password of ${unspent.name}; it can only set a new one:\n`);
      io.stdout.write(`${unspent.oneTimePassword}\n`);
      return 0;
    } finally {
      await opened.close();
    }
  } finally {
    secrets.close();
  }
}

import { styleText } from "node:util";
import type { Config } from "../platform/config.ts";
import { machineLine } from "./this-machine.ts";
import type { RunningServer } from "./serve.ts";

/** What `npm run up` says once the platform is there: where, how to get in, and what was found on this machine. */
export async function announce(server: RunningServer, config: Config, seconds: number): Promise<void> {
  const { protocol, port } = new URL(server.address);
  const address = `${protocol}//localhost:${port}`;
  const { databaseFolder } = server;
  const { unspent } = server.platform.firstAdministrator;
  const bold = (text: string): string => styleText("bold", text);
  const lines = [
    "",
    `  ${bold("QL-RF")} is up at ${bold(address)}  (${seconds.toFixed(1)} s)`,
    "",
    ...(unspent === undefined
      ? ["  Sign in     with the password that you chose for admin"]
      : [`  Sign in     as ${bold(unspent.name)} with the one-time password ${bold(unspent.oneTimePassword)}`, "              It is shown until it is used, and can only set a new password."]),
    `  CLI         bin/qinfra login${address === "http://localhost:8080" ? "" : ` --url ${address}`}   then   bin/qinfra scan --host local`,
    `  Data, log   ${config.dataDir}`,
    ...(databaseFolder === undefined || databaseFolder.startsWith(config.dataDir) ? [] : [`  Database    ${databaseFolder}, because PostgreSQL's user cannot enter the data folder`]),
    "",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  process.stdout.write(`  This machine  ${machineLine(await server.machine.done)}\n\n  Ctrl-C stops everything.\n`);
}

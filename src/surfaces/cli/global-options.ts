import { Option, type Command } from "commander";

/** What every command takes; a field of an operation with the same name is given as `--NAME-value`. */
export function addGlobalOptions(command: Command): void {
  command
    .addOption(new Option("--url <url>", "Server to talk to (default: QINFRA_URL, else the last login)").helpGroup("Connection:"))
    .addOption(new Option("--organization <id>", "Organization to work in (default: QINFRA_ORGANIZATION, else your only one)").helpGroup("Connection:"));
}

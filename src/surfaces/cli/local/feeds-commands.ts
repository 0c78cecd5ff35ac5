import { Option } from "commander";
import type { LocalCommand } from "../local-command.ts";
import { formats } from "../output/render.ts";

const outputOption = (): Option => new Option("--output <format>", "Format of standard output").choices(formats).default("table");

export const feedsImportCommand: LocalCommand = {
  name: "feeds import",
  summary: "Import a feed of OSV advisories: JSON lines, a zip archive or a folder",
  configure(command) {
    command
      .argument("<feed>", "File (gzipped or not), zip archive or folder; - is standard input")
      .option("--name <name>", "What the feed is called (default: from the name of the file)")
      .option("--local", "Import into this machine's cache, for scans without a server")
      .addOption(outputOption())
      .addHelpText("after", `
A feed is imported whole or not at all. Importing under the same name replaces it.

Examples:
  qinfra feeds import debian.osv.jsonl.gz
  qinfra feeds import all.zip --name npm --local`);
  },
  load: async () => (await import("./feeds-import.ts")).runFeedsImport,
};

export const feedsSyncCommand: LocalCommand = {
  name: "feeds sync",
  summary: "Fetch the advisories of ecosystems from OSV",
  configure(command) {
    command
      .argument("<source>", "osv")
      .requiredOption("--ecosystem <names...>", "OSV ecosystems without release: Debian, npm, crates.io")
      .option("--local", "Fetch into this machine's cache, for scans without a server")
      .addOption(outputOption())
      .addHelpText("after", `
The server fetches them; with --local this machine does, from QINFRA_OSV_URL (default: OSV's own storage).

Examples:
  qinfra feeds sync osv --ecosystem Debian npm`);
  },
  load: async () => (await import("./feeds-sync.ts")).runFeedsSync,
};

import { Option } from "commander";
import type { LocalCommand } from "../local-command.ts";
import { scanFormats } from "../scan/formats.ts";

const inputs = "What to scan (exactly one):";
const advisories = "Where it is matched:";
const record = "What is recorded:";
const verdict = "Exit code and output:";

export const scanCommand: LocalCommand = {
  name: "scan",
  summary: "Say which packages of a system are vulnerable",
  configure(command) {
    command
      .addOption(new Option("--host <name>", "A Linux machine: local for this one, or user@host[:port] by ssh").helpGroup(inputs))
      .addOption(new Option("--identity <file>", "The private key for --host user@host; else those of your ssh agent and configuration").helpGroup(inputs))
      .addOption(new Option("--known-hosts <file>", "The only host keys to accept for --host user@host; else those that ssh knows").helpGroup(inputs))
      .addOption(new Option("--rootfs <dir>", "A root file system").helpGroup(inputs))
      .addOption(new Option("--oci-layout <path>", "An image: OCI layout or docker save archive, directory or file").helpGroup(inputs))
      .addOption(new Option("--dpkg-status <file>", "A dpkg status file; needs --os").helpGroup(inputs))
      .addOption(new Option("--sbom <file>", "A CycloneDX or SPDX document in JSON").helpGroup(inputs))
      .addOption(new Option("--os <id:version>", "The operating system that the input is from, for example debian:12").helpGroup(inputs))
      .addOption(new Option("--platform <os/arch>", "Which image of an OCI layout").helpGroup(inputs))
      .addOption(new Option("--image <name>", "Which image of an OCI layout, by tag or digest").helpGroup(inputs))
      .addOption(new Option("--local", "In this process, with the feeds of `qinfra feeds import --local`").helpGroup(advisories))
      .addOption(new Option("--advisories <feed...>", "In this process, with these feeds: files, zip archives or folders of OSV records").helpGroup(advisories))
      .addOption(new Option("--as-image <family:version>", "Register the input as a golden image on the server").helpGroup(record))
      .addOption(new Option("--as-asset <name>", "Record the input as an asset on the server (for --host: another name than its own)").helpGroup(record))
      .addOption(new Option("--fail-on <level>", "Exit 1 where a finding is at or over this severity").choices(["critical", "high", "medium", "low", "none"]).helpGroup(verdict))
      .addOption(new Option("--ignore-unknown-severity", "A finding of unknown severity does not meet --fail-on").helpGroup(verdict))
      .addOption(new Option("--strict", "Exit 2 where anything could not be matched or read").helpGroup(verdict))
      .addOption(new Option("--output <format>", "Format of standard output").choices(scanFormats).default("table").helpGroup(verdict))
      .addHelpText("after", `
The input is always read and parsed here. Without --local and --advisories it is matched by the server of QINFRA_URL or
of the last login; with neither, in this process. A server that is configured and does not answer is an error, never
a silent scan here. With a server, --host records the asset. Files may be gzipped; - is standard input.
By ssh nothing is installed or left on the host; its key must be known, so ssh to it once by hand.

Examples:
  qinfra scan --host local --fail-on high
  qinfra scan --host root@web01.example.org --identity ~/.ssh/id_ed25519
  qinfra scan --dpkg-status /var/lib/dpkg/status --os debian:12 --advisories debian.osv.jsonl.gz --output json
  qinfra scan --rootfs ./rootfs --as-image debian-server:2026.11.1
  zcat sbom.json.gz | qinfra scan --sbom - --output sarif

Exit codes:
  0  no finding at or over --fail-on; without it, whatever was found
  1  findings at or over --fail-on; an unknown severity meets every threshold
  2  the scan could not be done, nothing of the input could be matched, or parts could not under --strict; wins over 1`);
  },
  load: async () => (await import("../scan/run-scan.ts")).runScan,
};

import { distroOf } from "../../../modules/software/parsers/distribution-package.ts";
import type { ParseNote } from "../../../modules/software/parsers/notes.ts";
import { inputName } from "../../../modules/software/parsers/read-input.ts";
import type { SoftwareOfInput } from "../../../modules/software/parse-input.ts";
import { exitCode, lastLine, type ScanReport } from "../../../modules/vulnerabilities/domain/report.ts";
import { formatCyclonedx } from "../../../modules/vulnerabilities/formats/cyclonedx.ts";
import { formatJson } from "../../../modules/vulnerabilities/formats/json.ts";
import { formatSarif } from "../../../modules/vulnerabilities/formats/sarif.ts";
import { formatTable } from "../../../modules/vulnerabilities/formats/table.ts";
import { CliError, printable } from "../errors.ts";
import { exit } from "../exit-codes.ts";
import { hasColour, say, widthOf, write, type CliIo } from "../io.ts";
import type { CliContext, LocalRun } from "../local-command.ts";
import { matchHere } from "./local-match.ts";
import { readScanInput, type ScannedInput } from "./read-scan-input.ts";
import { scanOptions, type Recording, type ScanOptions } from "./scan-options.ts";
import { matchThere, recordThere } from "./server-match.ts";

/** `qinfra scan`: parses here, matches here or on the server, and answers by exit code. */
export const runScan: LocalRun = async (context, given) => {
  try {
    return await scan(context, scanOptions(given));
  } catch (error) {
    // For a scan a refusal is no answer: 1 says that there are findings, and nothing else does.
    if (error instanceof CliError && error.exitCode === exit.refused) throw withExitCode(error, exit.failed);
    throw error;
  }
};

async function scan(context: CliContext, options: ScanOptions): Promise<number> {
  const { io } = context;
  const connection = options.local ? undefined : await context.connection();
  const recording = recordingFor(options, connection !== undefined);
  const software = await readScanInput(io, options.input);
  const target = targetOf(options.input, software);
  for (const note of software.notes) say(io, `warning: ${noteText(note)}`);
  const unreadable = nothingRead(software);
  if (unreadable !== undefined && recording !== undefined) throw new CliError(`Nothing was recorded: ${unreadable}.`, { next: "give an SBOM of the system instead: qinfra scan --sbom FILE" });

  const matched =
    connection === undefined ? await matchHere(io, software.components, target, options.advisories)
    : recording === undefined ? await matchThere(context, connection, software.components, target)
    : await recordThere(context, connection, software, options.input, recording);
  const notes = software.notes.map((note) => ({ kind: note.kind, text: noteText(note) }));
  const report: ScanReport = notes.length === 0 ? matched : { ...matched, notes };
  await write(io, rendered(io, report, options));
  return verdict(io, report, options, { unreadable, notes: software.notes });
}

/** With a server, a scan of a host is recorded by itself; other inputs only when asked for. */
function recordingFor({ recording, input }: ScanOptions, hasServer: boolean): Recording | undefined {
  if (recording !== undefined && !hasServer) {
    throw new CliError(`--as-${recording.kind} records on a server, and none is configured.`, { next: "run `qinfra login`, set QINFRA_URL, or leave it out" });
  }
  return recording ?? (hasServer && input.kind === "host" ? { kind: "asset" } : undefined);
}

function targetOf(input: ScanOptions["input"], { os, host }: ScannedInput): NonNullable<ScanReport["target"]> {
  const kind = input.kind === "oci-layout" ? "image" : input.kind;
  const name = input.kind === "host" ? (host?.name ?? "this machine") : inputName(input.path);
  return { kind, name, ...(os !== undefined && { os: distroOf(os) }) };
}

function rendered(io: CliIo, report: ScanReport, { format }: ScanOptions): string {
  const tool = { name: "qinfra", version: io.version };
  if (format === "json") return formatJson(report);
  if (format === "sarif") return formatSarif(report, tool);
  if (format === "cyclonedx") return formatCyclonedx(report, tool);
  const width = widthOf(io.stdout);
  return formatTable(report, { colour: hasColour(io, io.stdout), ...(width !== undefined && { width }) });
}

interface Unread {
  unreadable: string | undefined;
  notes: readonly ParseNote[];
}

function verdict(io: CliIo, report: ScanReport, { failOn, strict, ignoreUnknownSeverity, local }: ScanOptions, { unreadable, notes }: Unread): number {
  const options = { strict, ignoreUnknownSeverity, ...(failOn !== undefined && { failOn }) };
  if (report.mode === "local" && report.advisories.feeds?.length === 0 && report.summary.packages > 0) {
    const next = local ? "qinfra feeds import --local FILE, or give --advisories FILE" : "give --advisories FILE, fill the cache by qinfra feeds import --local FILE, or run qinfra login";
    say(io, `error: No advisories are loaded on this machine.\n  next: ${next}`);
  }
  if (strict && notes.length > 0) say(io, "error: --strict: parts of the input could not be read.");
  say(io, unreadable === undefined ? lastLine(report, options) : `Nothing was looked at: ${unreadable}.`);
  if (unreadable !== undefined || (strict && notes.length > 0)) return exit.failed;
  return exitCode(report, options);
}

/** Why an input without a single component says nothing about its system. */
function nothingRead({ components, notes }: SoftwareOfInput): string | undefined {
  if (components.length > 0) return undefined;
  const note = notes.find(({ kind }) => kind === "unread-package-database") ?? notes.find(({ kind }) => kind === "no-packages" || kind === "unreadable-file");
  return note === undefined ? undefined : noteText(note);
}

function noteText({ what, path, count }: ParseNote): string {
  const where = path === undefined ? "" : ` (${path}${count !== undefined && count > 1 ? ` and ${count - 1} more` : ""})`;
  return printable(`${what}${where}`);
}

function withExitCode(error: CliError, code: number): CliError {
  const { next, problem } = error;
  return new CliError(error.message, { exitCode: code, cause: error, ...(next !== undefined && { next }), ...(problem !== undefined && { problem }) });
}

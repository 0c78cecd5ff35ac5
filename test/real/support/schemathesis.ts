import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { program } from "./peer.ts";
import { temporaryFolder } from "./process.ts";

export interface SchemathesisRun {
  address: string;
  /** Of the session that it works in. */
  token: string;
  /** Operation ids that are left out, or the only ones. */
  exclude?: readonly string[];
  only?: readonly string[];
  /** Most generated requests for each operation beside its examples and its boundary values. */
  examples: number;
}

export interface SchemathesisReport {
  /** Failed checks and errors of the run itself, in words; empty where all is well. */
  failures: string[];
  operations: number;
  cases: number;
  /** What it printed. */
  text: string;
}

/**
 * Checks that make no sense here, each with its reason: `unsupported_method` wants 405 where we answer 404;
 * `positive_data_acceptance` takes every input that its schema allows for good, but a cursor of another list, a reused
 * idempotency key or two options that exclude each other are refused by what they mean, with a declared 4xx.
 */
const excludedChecks = ["unsupported_method", "positive_data_acceptance"];

/** The feed's media types are its own, so it is told what such a body may be: good, cut off, empty, or no feed at all. */
const hooks = `import gzip
import schemathesis
from hypothesis import strategies as st

record = b'{"id":"DEBIAN-CVE-2026-1","modified":"2026-11-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}'
lines = st.sampled_from([record, record + b"\\n", record[:60], b"", b"\\x00\\xff", b"[]", b'{"id":1}'])
schemathesis.openapi.media_type("application/x-ndjson", lines)
schemathesis.openapi.media_type("application/gzip", lines.map(gzip.compress) | lines)
`;

/** Runs it, and once more with another seed where it broke down itself, as CPython 3.11 does now and then within Hypothesis. */
export async function runSchemathesis(options: SchemathesisRun): Promise<SchemathesisReport> {
  const report = await run(options, 1);
  return report.failures.length > 0 && report.failures.every((failure) => failure.endsWith(ownError)) ? run(options, 2) : report;
}

const ownError = "x Runtime Error";

/** In a folder of its own. The token is in its environment, and in no argument or file. */
async function run({ address, token, exclude = [], only = [], examples }: SchemathesisRun, seed: number): Promise<SchemathesisReport> {
  const folder = await temporaryFolder("schemathesis");
  try {
    await writeFile(join(folder.path, "schemathesis.toml"), 'hooks = "hooks"\nheaders = { Authorization = "Bearer ${QINFRA_TOKEN}" }\n');
    await writeFile(join(folder.path, "hooks.py"), hooks);
    const report = join(folder.path, "report.json");
    const child = spawn(program("schemathesis"), [
      "--no-color", "run", `${address}/openapi.json`, "--exclude-checks", excludedChecks.join(","), "--phases", "examples,coverage,fuzzing",
      "--max-examples", String(examples), "--seed", String(seed), "--workers", "1", "--no-shrink", "--suppress-health-check", "all",
      "--request-timeout", "30", "--report", "json", "--report-json-path", report,
      ...exclude.flatMap((id) => ["--exclude-operation-id", id]), ...only.flatMap((id) => ["--include-operation-id", id]),
    ], { cwd: folder.path, env: { PATH: process.env["PATH"] ?? "", HOME: folder.path, LC_ALL: "C.UTF-8", PYTHONPATH: folder.path, QINFRA_TOKEN: token }, stdio: ["ignore", "pipe", "pipe"] });
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const said = `${output}\n${errors}`.slice(-20_000);
    const written = await readFile(report, "utf8").catch(() => undefined);
    if (written === undefined) throw new Error(`Schemathesis wrote no report:\n${said}`);
    return { ...reportOf(JSON.parse(written) as Written), text: said };
  } finally {
    await folder.remove();
  }
}

interface Written {
  complete: boolean;
  stop_reason: string;
  operations: { tested: number };
  test_cases: { generated: number };
  failures: readonly unknown[];
  errors: readonly { title: string; count: number }[];
}

function reportOf(written: Written): Omit<SchemathesisReport, "text"> {
  return {
    failures: [
      ...(written.complete ? [] : [`it stopped early: ${written.stop_reason}`]),
      ...written.failures.map((failure) => JSON.stringify(failure).slice(0, 600)),
      ...written.errors.map(({ title, count }) => `${count} x ${title}`),
    ],
    operations: written.operations.tested, cases: written.test_cases.generated,
  };
}

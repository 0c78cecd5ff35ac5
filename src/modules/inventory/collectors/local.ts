import { execFile } from "node:child_process";
import { access, readFile, readlink } from "node:fs/promises";
import { cpus, hostname, machine, release, type } from "node:os";
import { parseInput } from "../../software/parse-input.ts";
import { CollectError } from "./collect-error.ts";
import { factsOf, hostNameOf, kindOf, rawFactFiles, type RawFactName, type RawFacts } from "./facts.ts";
import type { CollectedHost } from "./types.ts";

/** Collects the machine that this runs on. Throws CollectError where it is no Linux, InputError for a damaged package database. */
export async function collectLocal(): Promise<CollectedHost> {
  if (process.platform !== "linux") {
    throw new CollectError("unsupported-system", `This machine runs ${type()}; only Linux can be collected.`, { next: "scan a Linux host with --host user@host, or a file with --sbom FILE" });
  }
  const [{ os, components, notes }, raw] = await Promise.all([parseInput({ kind: "host" }), rawFacts()]);
  const name = hostNameOf(raw);
  if (name === undefined) throw new CollectError("unsupported-system", "This machine has no host name.", { next: "give it one (hostnamectl hostname NAME)" });
  const kind = kindOf(raw);
  return { name, ...(kind !== undefined && { kind }), source: "local", ...(os !== undefined && { os }), components, facts: { ...factsOf(raw) }, notes };
}

async function rawFacts(): Promise<RawFacts> {
  const raw = new Map<RawFactName, string>([
    ["node", hostname()], ["sysname", type()], ["release", release()], ["machine", machine()], ["cpus-count", String(cpus().length)],
  ]);
  const found = await Promise.all([
    ...Object.entries(rawFactFiles).map(async ([name, path]) => [name, await text(path)] as const),
    fullName().then((name) => ["fqdn", name] as const),
    text("/proc/cpuinfo").then((info) => ["cpu-flags", /^flags\s*:.*$/m.exec(info ?? "")?.[0]] as const),
    there("/.dockerenv").then((is) => ["dockerenv", is ? "yes" : undefined] as const),
    there("/run/.containerenv").then((is) => ["containerenv", is ? "yes" : undefined] as const),
    localtime().then((target) => ["localtime", target] as const),
  ]);
  for (const [name, value] of found) if (value !== undefined && value.trim() !== "") raw.set(name as RawFactName, value);
  return raw;
}

async function text(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

async function there(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}

async function localtime(): Promise<string | undefined> {
  return readlink("/etc/localtime").catch((error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? "missing" : undefined));
}

/** Asks the name service, which may be slow or not there. */
function fullName(): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile("hostname", ["-f"], { timeout: 5_000, maxBuffer: 4_096 }, (error, stdout) => resolve(error ? undefined : stdout));
  });
}

import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { describe } from "vitest";
import catalogue from "../../../scripts/peers/catalogue.json" with { type: "json" };

/** A real server or tool as `npm run peers` left it: its programs by name, or why it is not there. */
export type Peer =
  | { name: string; version: string; programs: Readonly<Record<string, string>> }
  | { name: string; version: string; missing: string };

/** The peer of that name in the cache folder; one of no certain version also where the system has all its programs. */
export function peer(name: string): Peer {
  const wanted = catalogue.find((entry) => entry.name === name);
  if (wanted === undefined) throw new Error(`no peer named ${name}: see scripts/peers/catalogue.json`);
  const folder = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "qinfra-peers", `${name}-${wanted.version}`);
  const installed = readRecord(join(folder, "peer.json"));
  if (isInstalled(installed)) return { name, version: installed.found ?? wanted.version, programs: installed.programs };
  const ofSystem = wanted.version === "system" ? findAll(wanted.programs) : undefined;
  if (ofSystem !== undefined) return { name, version: wanted.version, programs: ofSystem };
  const failed = readRecord(join(folder, "unavailable.json")) as { reason?: string } | undefined;
  return { name, version: wanted.version, missing: failed?.reason ?? "not installed: npm run peers" };
}

/**
 * A suite that needs these peers. Where one is missing the suite is skipped, and its name says which and why in square
 * brackets, which .ci/run repeats.
 * The tests ask for programs by `program`.
 */
export function describeWith(names: readonly string[], title: string, body: () => void): void {
  const missing = names.map(peer).flatMap((found) => ("missing" in found ? [`${found.name} ${found.version}: ${found.missing}`] : []));
  if (missing.length === 0) describe(title, body);
  else describe.skip(`${title} [skipped: ${missing.join("; ").replaceAll("[", "(").replaceAll("]", ")")}]`, body);
}

/** Absolute path of one program of a peer; throws with the reason where it is not there. */
export function program(peerName: string, name = peerName): string {
  const found = peer(peerName);
  if ("missing" in found) throw new Error(`${peerName} is not there: ${found.missing}`);
  const path = found.programs[name];
  if (path === undefined) throw new Error(`${peerName} ${found.version} has no program ${name}`);
  return path;
}

interface InstalledRecord {
  found?: string;
  programs: Record<string, string>;
}

function isInstalled(record: unknown): record is InstalledRecord {
  const programs = (record as InstalledRecord | undefined)?.programs;
  return programs !== undefined && Object.values(programs).every(isFile);
}

function readRecord(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** Services lie in folders that a user's PATH may not name. */
function findAll(programs: readonly string[]): Record<string, string> | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter).filter(Boolean), "/usr/local/sbin", "/usr/sbin"];
  const found: Record<string, string> = {};
  for (const name of programs) {
    const path = folders.map((folder) => join(folder, name)).find(isFile);
    if (path === undefined) return undefined;
    found[name] = path;
  }
  return found;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

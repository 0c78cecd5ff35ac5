import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { errorCode } from "./errors.ts";

/**
 * Names one process for good: its id and when it began, so that a later program with the same id is told apart.
 * Undefined where no such process runs; a zombie does not run.
 */
export function processToken(pid: number): string | undefined {
  if (!isTaken(pid)) return undefined;
  const stat = readProc(pid, "stat");
  if (stat !== undefined) {
    // proc(5): the name in brackets may hold anything, so fields are counted after its last bracket: state is field 3, starttime 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return `${pid}-${fields[19]}`;
  }
  const started = ps(pid, "lstart=");
  return started === undefined ? undefined : `${pid}-${started.replaceAll(/\W+/g, "")}`;
}

/** The arguments of a process as one string, its own name first; empty where they cannot be read. */
export function commandLine(pid: number): string {
  return readProc(pid, "cmdline")?.replaceAll("\0", " ").trimEnd() ?? ps(pid, "command=") ?? "";
}

/** Whether kill(2) finds the id, which is all that PostgreSQL asks: a zombie that nobody reaped yet has it still. */
export function isTaken(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}

function ps(pid: number, column: string): string | undefined {
  const result = spawnSync("ps", ["-ww", "-o", column, "-p", String(pid)], { encoding: "utf8", timeout: 2_000, env: { PATH: "/bin:/usr/bin", LC_ALL: "C" } });
  const text = result.stdout?.trim();
  return text === undefined || text === "" ? undefined : text;
}

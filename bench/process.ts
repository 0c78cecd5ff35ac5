import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { LoadPlan, LoadResult } from "./load.ts";

/** Whether processes can be bound to a core each. */
export const pinned = availableParallelism() >= 2 && spawnSync("taskset", ["-V"]).status === 0;

/** The command that binds a program to a core; empty where there is none. */
export function onCore(core: 0 | 1): string[] {
  return pinned ? ["taskset", "-c", String(core)] : [];
}

/** Starts a program of this folder and gives it `input` on standard input. */
export function startProgram(name: string, input: unknown, core: 0 | 1): ChildProcess {
  const [command = process.execPath, ...args] = [...onCore(core), process.execPath, join(import.meta.dirname, name)];
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin?.end(JSON.stringify(input));
  return child;
}

/** The first line that a program writes. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      if (said.includes("\n")) resolve(said.slice(0, said.indexOf("\n")));
    });
    child.once("exit", (code) => reject(new Error(`the program ended with ${code}`)));
  });
}

export async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await exited;
}

/** Runs the load generator on the second core. Fails where any answer was not a success: such a figure says nothing. */
export async function load(plan: LoadPlan): Promise<LoadResult> {
  const child = startProgram("load.ts", plan, 1);
  const result = await json(child.stdout as NodeJS.ReadableStream) as LoadResult;
  if (result.failed > 0) throw new Error(`${result.failed} answers were not a success: ${plan.method} ${plan.paths[0]}`);
  return result;
}

/** Processor time of a process with its threads, in milliseconds; clock ticks are 10 ms on Linux. */
export function cpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** A process and everything below it. */
export function treeOf(pid: number): number[] {
  const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((name) => {
    try {
      const text = readFileSync(`/proc/${name}/stat`, "utf8");
      return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]) === pid;
    } catch {
      return false;
    }
  });
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))];
}

/** Proportional set size in MB: shared pages are divided among those who share them. */
export function pssMb(pid: number): number {
  const path = `/proc/${pid}/smaps_rollup`;
  if (!existsSync(path)) return 0;
  const kb = Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(path, "utf8"))?.[1] ?? 0);
  return kb / 1024;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

export function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? Infinity;
}

import { execFileSync } from "node:child_process";
import { arch, cpus, loadavg, release, totalmem, type } from "node:os";

export interface Machine {
  /** RFC 3339. */
  date: string;
  commit: string;
  processor: string;
  cores: number;
  memoryGb: number;
  kernel: string;
  node: string;
  /** One-minute load average before the first measurement: what else the machine was doing. */
  load: number;
}

export function describeMachine(now: Date, root: string): Machine {
  return {
    date: now.toISOString(), commit: commitOf(root), processor: cpus()[0]?.model.trim() ?? "unknown", cores: cpus().length,
    memoryGb: totalmem() / 2 ** 30, kernel: `${type()} ${release()} ${arch()}`, node: process.version, load: loadavg()[0] ?? 0,
  };
}

function commitOf(root: string): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "not a checkout";
  }
}

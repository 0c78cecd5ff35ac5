import { readFileSync } from "node:fs";
import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";

/** Names one process for good (its id and when it began); undefined where no such process runs. */
export function processToken(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== "EPERM") return undefined;
  }
  const stat = procStat(pid);
  if (stat !== undefined) return stat.state === "Z" || stat.state === "X" ? undefined : `${pid}-${stat.started}`;
  const started = ps(pid, "lstart=");
  return started === undefined ? undefined : `${pid}-${started.replaceAll(/\W+/g, "")}`;
}

/** The parent of any process; undefined where it is gone. */
export function parentOf(pid) {
  return procStat(pid)?.parent ?? (Number(ps(pid, "ppid=")) || undefined);
}

export function commandName(pid) {
  return procStat(pid)?.name ?? ps(pid, "comm=");
}

// proc(5): the name in brackets may hold anything, so fields are counted after its last bracket.
function procStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = text.lastIndexOf(")");
    const fields = text.slice(end + 2).split(" ");
    return { name: text.slice(text.indexOf("(") + 1, end), state: fields[0], parent: Number(fields[1]), started: fields[19] };
  } catch {
    return undefined;
  }
}

function ps(pid, column) {
  if (process.platform === "linux") return undefined;
  const text = spawnSync("ps", ["-o", column, "-p", String(pid)], { encoding: "utf8", timeout: 2000 }).stdout?.trim();
  return text || undefined;
}

/**
 * Ends `child` when this process is gone, also after kill -9: a shell in a session of its own reads a pipe that only we
 * hold. It stops by itself once the child has ended.
 */
export function endWithUs(child) {
  const script = 'trap "" HUP INT TERM; while IFS= read -r line; do [ "$line" = done ] && exit 0; done; kill -TERM "$1"; sleep 2; kill -KILL "$1"';
  const guard = spawn("/bin/sh", ["-c", script, "qinfra-guard", String(child.pid)], { detached: true, cwd: "/", stdio: ["pipe", "ignore", "ignore"] });
  guard.on("error", () => undefined);
  guard.stdin.on("error", () => undefined);
  guard.unref();
  guard.stdin.unref();
  child.once("exit", () => guard.stdin.end("done\n"));
}

/** 0 to 255, as a shell counts: 128 and the signal's number for a program that a signal ended. */
export function exitCode(code, signal) {
  return code ?? 128 + (constants.signals[signal] ?? 0);
}

/**
 * Runs a program to its end with our standard streams, and returns its exit code. Ctrl-C in a terminal reaches it
 * by itself; a signal that only we get is passed on.
 */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: "inherit", ...options });
    const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
    const handlers = ["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => [signal, () => (signal === "SIGINT" && terminal ? undefined : child.kill(signal))]);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    const finish = () => {
      for (const [signal, handler] of handlers) process.off(signal, handler);
    };
    child.once("error", (error) => {
      finish();
      reject(error);
    });
    child.once("spawn", () => endWithUs(child));
    child.once("close", (code, signal) => {
      finish();
      resolve(exitCode(code, signal));
    });
  });
}

import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { endWithUs } from "../lib/processes.mjs";

/** How many characters of a command's last output an error repeats. */
const TAIL = 600;

const running = new Set();

/**
 * Runs a command to its end, without a shell and without input. Resolves with what it wrote to both outputs; rejects
 * with the command, its exit code and the tail of its output. The command is its own process group, which the time
 * limit (minutes) and `stopAll` end as a whole. A server is asked to end once its output matches `until`, and what it
 * wrote is resolved with; where it ends before that, run rejects.
 */
export function run(command, args, { cwd, env = {}, minutes = 10, until } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    let late = false;
    let ready = false;
    const timer = setTimeout(() => {
      late = true;
      killGroup(child.pid, "SIGKILL");
    }, minutes * 60_000);
    running.add(child);
    const collect = (chunk) => {
      output = (output + chunk).slice(-200_000);
      if (ready || until === undefined || !until.test(output)) return;
      ready = true;
      killGroup(child.pid, "SIGTERM");
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    child.once("spawn", () => endWithUs(child));
    child.on("error", (error) => {
      clearTimeout(timer);
      running.delete(child);
      reject(new Error(error.code === "ENOENT" ? `${command} is not installed` : `${command}: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      if (!late && (until === undefined ? code === 0 : ready)) return resolve(output);
      const how = late ? `was stopped after ${minutes} minutes` : signal ? `ended by ${signal}` : `exit code ${code}`;
      reject(new Error(`${[command, ...args].join(" ")}: ${how}: ${output.trim().slice(-TAIL)}`));
    });
  });
}

/** Ends every command that is still running, with its children. */
export function stopAll() {
  for (const child of running) killGroup(child.pid, "SIGKILL");
}

function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended in the meantime.
  }
}

/** The first of the paths, or of the names looked up in PATH and the system folders, that can be executed. */
export async function findProgram(...candidates) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  for (const candidate of candidates) {
    const paths = candidate.includes("/") ? [candidate] : folders.filter(Boolean).map((folder) => join(folder, candidate));
    for (const path of paths) if (await isExecutable(path)) return path;
  }
  return undefined;
}

export async function isExecutable(path) {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first number with dots in what a program says of itself. */
export function versionIn(text) {
  return text.match(/\d+(\.\d+)+/)?.[0];
}

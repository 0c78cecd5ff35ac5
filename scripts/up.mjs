// Starts the platform and stands between it and the terminal or npm. The server runs in a session of its own, so that
// Ctrl-C, which a terminal sends to every process of a group and npm sends once more, reaches it once, from here. It
// holds one end of an IPC channel: when this process is gone, however it ended, the server sees `disconnect` and drains.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureBuilt } from "./lib/build.mjs";
import { ensureInstalled } from "./lib/install.mjs";
import { node24 } from "./lib/node24.mjs";
import { root } from "./lib/paths.mjs";
import { commandName, exitCode, parentOf } from "./lib/processes.mjs";
import { runScript, say } from "./lib/say.mjs";

/** A signal that comes again within this time is the same one on another way. */
const sameSignalMs = 500;

await runScript(async (args) => {
  const starter = findStarter();
  await ensureInstalled();
  await ensureBuilt();
  const child = spawn(node24(), [join(root, "dist/main.mjs"), "up", ...args], { detached: true, stdio: ["inherit", "inherit", "inherit", "ipc"] });
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(exitCode(code, signal)));
  });
  passSignals(child);
  const watch = setInterval(() => {
    if (starter === undefined || starter.runs()) return;
    clearInterval(watch);
    child.kill("SIGTERM");
  }, 1000);
  const code = await ended;
  clearInterval(watch);
  if (child.connected) child.disconnect();
  // Handlers of signals keep nothing alive, but npm's pipes might.
  process.exitCode = code;
  return code;
});

function passSignals(child) {
  let first;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    process.on(signal, () => {
      const now = performance.now();
      if (first === undefined) {
        first = now;
        child.kill(signal === "SIGQUIT" ? "SIGTERM" : signal);
        return;
      }
      if (now - first < sameSignalMs) return;
      say("Stopping at once.");
      child.kill("SIGKILL");
    });
  }
}

/** npm, where it started us, perhaps through a shell that would outlive it. Undefined where it did not. */
function findStarter() {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const parent = process.ppid;
  const shell = /^(?:\/bin\/)?(?:sh|dash|bash|ash|busybox)$/.test(commandName(parent) ?? "");
  const grandparent = shell ? parentOf(parent) : undefined;
  return { runs: () => process.ppid === parent && (grandparent === undefined || parentOf(parent) === grandparent) };
}

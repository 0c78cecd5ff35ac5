import { mkdirSync, statSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { ConfigError, parseConfig, type Config } from "../platform/config.ts";
import { DeclaredError } from "../platform/errors.ts";
import { createLog } from "../platform/telemetry/log.ts";
import { openLogFile } from "../platform/telemetry/log-file.ts";
import { announce } from "./announce.ts";
import { defaultDataDir } from "./root.ts";
import type { RunningServer } from "./serve.ts";
import { stopRequested } from "./stop-signals.ts";

const loopback = new Set(["127.0.0.1", "::1", "localhost"]);

/** `qinfra serve` writes its log to standard output; `qinfra up` talks to a person and writes the log to a file. */
export async function runPlatform(command: "up" | "serve", args: readonly string[]): Promise<number> {
  if (args.length > 0) return refuse(`qinfra ${command} takes no arguments; settings come from the environment (qinfra config lists them).`);
  let config: Config;
  try {
    config = parseConfig(process.env, defaultDataDir(process.env));
  } catch (error) {
    if (error instanceof ConfigError) return refuse(["Wrong settings:", ...error.faults.map((fault) => `  ${fault}`)].join("\n"));
    throw error;
  }
  if (command === "up" && !loopback.has(config.host)) {
    return refuse(`qinfra up listens on this machine only, and HOST is ${config.host}. Leave HOST out, or use qinfra serve, behind TLS.`);
  }
  const reason = stopRequested();
  const log = command === "up" ? fileLog(config) : createLog(config.logLevel);
  if (typeof log === "string") return refuse(log);
  const began = performance.now();
  try {
    // What is refused above needs no server, which takes a second to load.
    const { startServer } = await import("./serve.ts");
    const server = await startServer(config, log);
    // What it says of this machine takes a while, in which the server can be stopped.
    if (command === "up") void announce(server, config, (performance.now() - began) / 1000);
    return await untilStopped(server, reason, command, log, config.drainSeconds);
  } catch (error) {
    log.fatal({ err: error }, "the platform could not start");
    if (error instanceof DeclaredError) return refuse(`${error.type.title}. ${error.message}`);
    return refuse(`The platform could not start: ${(error as Error).message}`);
  }
}

async function untilStopped(server: RunningServer, reason: Promise<string>, command: string, log: Logger, drainSeconds: number): Promise<number> {
  const ended = await Promise.race([
    reason.then((why) => ({ why, code: 0 })),
    server.failed.then((why) => ({ why, code: 1 })),
  ]);
  log.info({ reason: ended.why }, "stopping");
  if (command === "up") process.stdout.write(ended.code === 0 ? "\nStopping: requests end, then the database.\n" : `\nStopping, because ${ended.why}.\n`);
  if (!(await endsWithin(stopMs + drainSeconds * 1_000, server.stop()))) {
    log.error("the server did not stop in time, for example because the database does not answer; it is ended as it is");
    return 1;
  }
  log.info("stopped");
  if (command === "up") process.stdout.write("Stopped.\n");
  return ended.code;
}

/** More than open requests have; whoever manages the process would kill it soon after. */
const stopMs = 30_000;

/** Whether the work ended in time. It goes on where not. */
export async function endsWithin(ms: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, ms, false)));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

const mostLogBytes = 50 * 1024 * 1024;

/** The log beside the data; the file of an earlier run is kept once. A text says why it cannot be written. */
function fileLog(config: Config): Logger | string {
  const path = join(config.dataDir, "qinfra.log");
  try {
    mkdirSync(config.dataDir, { recursive: true, mode: 0o711 });
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > mostLogBytes) renameSync(path, `${path}.1`);
    return createLog(config.logLevel, openLogFile(path, (error) => process.stderr.write(`The log ${path} cannot be written: ${error.message}\n`)));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOSPC" ? "the disk is full; free some space" : code === "EACCES" || code === "EROFS" ? "it cannot be written to; set DATA_DIR to a folder that can" : message;
    return `The data folder ${config.dataDir} cannot be used: ${why}.`;
  }
}

function refuse(text: string): number {
  process.stderr.write(`${text}\n`);
  return 1;
}

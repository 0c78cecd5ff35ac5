import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { exit } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";

/** The real process. Ctrl-C and a reader that went away abort the signal; a second Ctrl-C ends the process at once. */
export function processIo(options: Pick<CliIo, "manifestPath" | "version" | "dataDir" | "commands" | "pure">): CliIo {
  const stop = new AbortController();
  // Who waits for input then learns at once that there is none.
  stop.signal.addEventListener("abort", () => process.stdin.destroy(), { once: true });
  process.once("SIGINT", () => {
    stop.abort(exit.interrupted);
    process.once("SIGINT", () => process.exit(exit.interrupted));
  });
  process.once("SIGTERM", () => stop.abort(143));
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      stop.abort(exit.closed);
    });
  }
  return {
    ...options,
    stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: process.env,
    fetch: globalThis.fetch, now: Date.now, random: randomBytes, signal: stop.signal,
    sleep: (milliseconds) => setTimeout(milliseconds, undefined, { signal: stop.signal }),
  };
}

/** Ends the process once what was written is out: an interrupted command may have left a connection open. */
export function endProcess(code: number): void {
  process.exitCode = code;
  let open = 2;
  const done = (): void => {
    open -= 1;
    if (open === 0) process.exit(code);
  };
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.destroyed || code === exit.closed) done();
    else stream.write("", done);
  }
}

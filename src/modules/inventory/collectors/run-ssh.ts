import { spawn } from "node:child_process";
import { CollectError, lastLines } from "./collect-error.ts";
import { answerTooLarge } from "./answer-bytes.ts";

export interface RunLimits {
  timeoutMs: number;
  maxBytes: number;
  signal?: AbortSignal;
}

export interface Ran {
  stdout: Buffer;
  /** Printable, the last lines. */
  stderr: string[];
  exitStatus: number;
}

const stderrKept = 16 * 1024;

/**
 * Runs a program with `input` on its standard input. Throws CollectError where it cannot be started, is over time,
 * writes more than it may, or is cancelled; then it is ended. How it exits is the caller's to judge.
 */
export function runSsh(command: string, args: readonly string[], input: string, { timeoutMs, maxBytes, signal }: RunLimits): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, LC_ALL: "C", SSH_ASKPASS_REQUIRE: "never" } });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let stderr = "";
    let failure: CollectError | undefined;

    const closePipes = (): void => {
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const fail = (error: CollectError): void => {
      failure ??= error;
      child.kill("SIGTERM");
      closePipes();
      killTimer ??= setTimeout(() => child.kill("SIGKILL"), 2_000);
    };
    let killTimer: NodeJS.Timeout | undefined;
    let pipesTimer: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => {
      const when = bytes === 0 ? "did not answer" : "was still answering";
      fail(new CollectError("timeout", `The host ${when} after ${timeoutMs / 1000} s.`, { next: "try `ssh` to it by hand, or allow more time", stderr: lastLines(stderr) }));
    }, timeoutMs);
    const cancel = (): void => fail(new CollectError("cancelled", "The scan was cancelled."));
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    const done = (): void => {
      clearTimeout(timer);
      clearTimeout(killTimer);
      clearTimeout(pipesTimer);
      signal?.removeEventListener("abort", cancel);
    };

    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) fail(answerTooLarge(maxBytes));
      else chunks.push(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr = (stderr + chunk).slice(-stderrKept);
    });
    // A host that ends before it has read the script: what it said and its status tell why.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.once("error", (cause: NodeJS.ErrnoException) => {
      done();
      const missing = cause.code === "ENOENT";
      reject(new CollectError("no-ssh", missing ? `The program ${command} is not there.` : `The program ${command} cannot be started (${cause.code ?? cause.message}).`, { next: "install an OpenSSH client (Debian: apt install openssh-client)", cause }));
    });
    // A helper that holds the pipes open (a proxy of the user's configuration) must not hold this up.
    child.once("exit", () => {
      pipesTimer = setTimeout(closePipes, 2_000);
    });
    child.once("close", (code) => {
      done();
      if (failure) reject(failure);
      else resolve({ stdout: Buffer.concat(chunks, bytes), stderr: lastLines(stderr), exitStatus: code ?? 255 });
    });
  });
}

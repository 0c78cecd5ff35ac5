import type { Readable, Writable } from "node:stream";
import type { LocalCommand } from "./local-command.ts";

export type Input = Readable & { isTTY?: boolean; setRawMode?(raw: boolean): unknown };
export type Output = Writable & { isTTY?: boolean; columns?: number };

/** Everything that a command touches outside of itself. */
export interface CliIo {
  stdin: Input;
  stdout: Output;
  stderr: Output;
  env: Readonly<Record<string, string | undefined>>;
  fetch: typeof globalThis.fetch;
  /** Milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  random(bytes: number): Uint8Array;
  /** Aborted by Ctrl-C, or when nobody reads standard output any more; the reason is the exit code. */
  signal: AbortSignal;
  /** Where the built operations.json lies. */
  manifestPath: string;
  version: string;
  /** Where this installation keeps the data of its server unless DATA_DIR says otherwise. */
  dataDir: string;
  /** Commands of the program beside those of the CLI, such as `up` and `serve`. */
  commands?: readonly LocalCommand[];
  /** The handler of a pure operation, where it can run in this process. */
  pure?(id: string): Promise<((input: Record<string, unknown>) => Promise<unknown>) | undefined>;
}

/** A line for people. Progress, warnings and errors go here; standard output carries the chosen format only. */
export function say(io: Pick<CliIo, "stderr">, line: string): void {
  io.stderr.write(`${line}\n`);
}

/** Writes text and waits where the reader is slow, so that a long answer is not held in memory. */
export async function write(io: Pick<CliIo, "stdout" | "signal">, text: string): Promise<void> {
  if (io.stdout.write(text)) return;
  await new Promise<void>((resolve, reject) => {
    const done = (): void => {
      io.stdout.off("drain", done);
      io.signal.removeEventListener("abort", stop);
      resolve();
    };
    const stop = (): void => {
      io.stdout.off("drain", done);
      reject(io.signal.reason);
    };
    io.stdout.once("drain", done);
    io.signal.addEventListener("abort", stop, { once: true });
  });
}

export function hasColour(io: Pick<CliIo, "env">, stream: Output): boolean {
  const no = io.env["NO_COLOR"];
  return stream.isTTY === true && (no === undefined || no === "") && io.env["TERM"] !== "dumb";
}

/** Columns of the terminal; undefined where the stream is none, so that nothing is cut off in a file. */
export function widthOf(stream: Output): number | undefined {
  return stream.isTTY === true ? (stream.columns ?? 80) : undefined;
}

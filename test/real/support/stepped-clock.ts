import { execFile } from "node:child_process";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { program } from "./peer.ts";

export interface SteppedClock {
  /** For the environment of a server. What counts durations goes on as it is: a step is seen by the time of day alone. */
  env: Readonly<Record<string, string>>;
  /** Seconds by which that server's clock is ahead of the machine's from now on, give or take a second. */
  step(seconds: number): Promise<void>;
}

/** A clock for one server, by libfaketime, which the machine's own does not follow. */
export async function steppedClock(folder: string, name: string): Promise<SteppedClock> {
  const file = join(folder, `${name}.clock`);
  const { stdout } = await promisify(execFile)(program("faketime"), ["-f", "+0", "printenv", "LD_PRELOAD"]);
  async function step(seconds: number): Promise<void> {
    await writeFile(`${file}.new`, `${seconds < 0 ? "" : "+"}${seconds}s\n`);
    await rename(`${file}.new`, file);
  }
  await step(0);
  return { step, env: { LD_PRELOAD: stdout.trim(), FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1" } };
}

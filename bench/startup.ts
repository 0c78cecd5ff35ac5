import { setTimeout as delay } from "node:timers/promises";
import { dataFolder, postmasterOf, startPlatform } from "../test/real/support/platform.ts";
import { freePort } from "../test/real/support/process.ts";
import { median, pssMb, treeOf } from "./process.ts";

export interface Startup {
  runs: number;
  /** Milliseconds from the start of the process to the first 200 of /readyz. */
  median: number;
  slowest: number;
  /** PSS in MB ten seconds after the start. */
  serverMb: number;
  postgresMb: number;
  postgresProcesses: number;
}

const idleMs = 10_000;

/** `qinfra up` with the embedded PostgreSQL on data that is there already, built, started again and again. */
export async function measureStartup(options: { runs: number }): Promise<Startup> {
  const folder = await dataFolder("bench-start");
  const port = await freePort();
  const start = (): ReturnType<typeof startPlatform> => startPlatform(folder.path, { PORT: String(port) });
  try {
    await (await start()).stop();
    const times: number[] = [];
    let memory = { serverMb: 0, postgresMb: 0, postgresProcesses: 0 };
    for (let run = 1; run <= options.runs; run++) {
      const began = performance.now();
      const starting = start();
      await healthy(`http://127.0.0.1:${port}/readyz`);
      times.push(performance.now() - began);
      const platform = await starting;
      if (run === options.runs) {
        await delay(idleMs);
        const postgres = treeOf(await postmasterOf(folder.path));
        memory = { serverMb: pssMb(platform.pid), postgresMb: postgres.reduce((sum, pid) => sum + pssMb(pid), 0), postgresProcesses: postgres.length };
      }
      await platform.stop();
    }
    return { runs: options.runs, median: median(times), slowest: Math.max(...times), ...memory };
  } finally {
    await folder.remove();
  }
}

async function healthy(url: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok === true) return;
    await delay(5);
  }
  throw new Error("the platform was not healthy after a minute");
}

import { spawn } from "node:child_process";
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { sharedData } from "../src/platform/testing/shared-data.ts";
import { root } from "../test/real/support/platform.ts";
import { median } from "./process.ts";
import type { Stage } from "./stage.ts";

export interface Scans {
  packages: number;
  findings: number;
  runs: number;
  /** Milliseconds from the start of the command to its end. */
  inProcess: number;
  throughServer: number;
  /** Where the large list is not on this machine, the example of the repository. */
  list: string;
}

/** `qinfra scan --dpkg-status` as a person runs it: in process with a feed, and matched by the server. */
export async function measureScans(stage: Stage, options: { runs: number }): Promise<Scans> {
  const large = sharedData("inventory/debian12.15-desktop.dpkg-status.gz");
  const feed = sharedData("advisories/debian.osv.jsonl.gz");
  const [list, advisories] = large === undefined || feed === undefined
    ? [join(root, "examples/web01.dpkg-status"), join(root, "examples/debian.osv.jsonl")]
    : [large, feed];
  const plain = join(stage.folder, "advisories.osv.jsonl");
  await pipeline(createReadStream(advisories), advisories.endsWith(".gz") ? createGunzip() : new PassThrough(), createWriteStream(plain));
  await stage.client.call("POST", "/api/v1/feeds/debian/import", await text(createReadStream(plain)));
  const { key } = await stage.client.call<{ key: string }>("POST", "/api/v1/api-keys", { name: "bench", scopes: ["scans:run"] });

  const scan = ["scan", "--dpkg-status", list, "--os", "debian:12", "--output", "json"];
  const times = { local: [] as number[], server: [] as number[] };
  let report: { summary: { findings: number; packages: number } } | undefined;
  for (let run = 0; run <= options.runs; run++) {
    const local = await qinfra([...scan, "--advisories", advisories], { QINFRA_HOME: stage.folder });
    const server = await qinfra(scan, { QINFRA_HOME: stage.folder, QINFRA_URL: stage.platform.address, QINFRA_API_KEY: key });
    report = JSON.parse(local.output) as typeof report;
    const other = JSON.parse(server.output) as typeof report;
    if (report?.summary.findings !== other?.summary.findings) throw new Error("the scan through the server found something else than the one in process");
    if (run === 0) continue;
    times.local.push(local.ms);
    times.server.push(server.ms);
  }
  return {
    packages: report?.summary.packages ?? 0, findings: report?.summary.findings ?? 0, runs: options.runs, inProcess: median(times.local), throughServer: median(times.server),
    list: large === undefined || feed === undefined ? "examples/web01.dpkg-status" : "a Debian 12 desktop",
  };
}


async function qinfra(args: readonly string[], env: Record<string, string>): Promise<{ output: string; ms: number }> {
  const began = performance.now();
  const child = spawn(process.execPath, [join(root, "dist/main.mjs"), ...args], { env: { PATH: process.env["PATH"] ?? "", ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), new Promise<number | null>((resolve) => child.once("exit", resolve))]);
  if (code !== 0) throw new Error(`qinfra ${args.join(" ")} ended with ${code}: ${errors}`);
  return { output, ms: performance.now() - began };
}

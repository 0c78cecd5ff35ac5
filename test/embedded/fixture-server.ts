/** A program that serves one embedded cluster: options as JSON in its argument, one JSON line on standard output when ready. */
import { startEmbeddedPostgres } from "../../src/platform/database/embedded/index.ts";
import { systemClock } from "../../src/platform/clock.ts";

const { dataDir, fallbackRoot } = JSON.parse(process.argv[2] ?? "{}") as { dataDir: string; fallbackRoot: string };
const quiet = { info: () => undefined, warn: () => undefined };
const server = await startEmbeddedPostgres({ dataDir, fallbackRoot, log: quiet, clock: systemClock });
console.log(JSON.stringify({ pid: process.pid, postmaster: server.pid, cluster: server.cluster, host: server.connection.host }));
process.stdin.resume();
process.stdin.once("end", () => void server.stop());

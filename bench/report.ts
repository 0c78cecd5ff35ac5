import type { Appends } from "./appends.ts";
import type { Buses, Rates } from "./buses.ts";
import type { Machine } from "./machine.ts";
import { pinned } from "./process.ts";
import type { Reads, Side } from "./reads.ts";
import type { Scans } from "./scans.ts";
import type { Startup } from "./startup.ts";
import type { WaysIn } from "./ways-in.ts";
import type { WorkflowRates } from "./workflows.ts";

export interface Results {
  machine: Machine;
  loadAfter: number;
  reads: Reads;
  waysIn: WaysIn;
  appends: Appends;
  buses: Buses;
  workflows: WorkflowRates;
  startup: Startup;
  scans: Scans;
}

const goals = { readShare: 0.6, positionMs: 50, startupMs: 2_000, idleMb: 250 };

const whole = (value: number): string => Math.round(value).toLocaleString("en-GB");
const ms = (value: number): string => (value < 10 ? value.toFixed(1) : whole(value));
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const met = (yes: boolean): string => (yes ? "met" : "**not met**");

/** docs/performance.md, whole. */
export function markdown({ machine, loadAfter, reads, waysIn, appends, buses, workflows, startup, scans }: Results): string {
  const idle = startup.serverMb + startup.postgresMb;
  const byProcessor = reads.baseline.cpuMicroseconds / reads.platform.cpuMicroseconds;
  return `# Performance

Written by \`npm run bench\` (\`bench/\`), which measures everything below in one run. Run it on a quiet machine: the load
average says what else was going on, and on a busy machine only the shares mean something.

| | |
|---|---|
| Date | ${machine.date} |
| Commit | ${machine.commit} |
| Processor | ${machine.processor}, ${machine.cores} cores |
| Memory | ${machine.memoryGb.toFixed(1)} GB |
| System | ${machine.kernel}, Node ${machine.node}, embedded PostgreSQL |
| Load average | ${machine.load.toFixed(2)} before, ${loadAfter.toFixed(2)} after |

## Goals

| what | goal | measured | |
|---|---|---|---|
| Indexed read through the whole pipeline, share of Fastify + pg in requests/s | at least ${percent(goals.readShare)} | ${percent(reads.ratio)} | ${met(reads.ratio >= goals.readShare)} |
| Commit to position in the event log under load, p95 | ${goals.positionMs} ms | ${ms(appends.position.p95)} ms | ${met(appends.position.p95 <= goals.positionMs)} |
| Warm start to healthy, PostgreSQL included | ${whole(goals.startupMs)} ms | ${whole(startup.median)} ms | ${met(startup.median <= goals.startupMs)} |
| Idle memory, server and PostgreSQL | ${goals.idleMb} MB | ${whole(idle)} MB | ${met(idle <= goals.idleMb)} |

## Reads

\`GET /api/v1/assets/{id}\` among ${whole(reads.assets)} assets by a signed-in person, against a Fastify server with pg that runs the same statement
(with the condition that row level security adds), prepared, with one pino line and prom-client metrics a request, and neither
authentication, validation, policy nor transaction. Both on the same PostgreSQL with a pool of the same size, ${reads.connections} keep-alive
connections, ${reads.rounds} rounds in turns, medians${pinned ? "; the server on one core, the load generator on the other" : "; the processes were not bound to cores, because taskset is missing"}.

| | requests/s | p50 ms | p95 ms | processor time a request, µs |
|---|---|---|---|---|
${row("platform", reads.platform)}
${row("Fastify + pg", reads.baseline)}
| share | ${percent(reads.ratio)} | | | ${percent(byProcessor)} |

Processor time is that of the server process alone, so that it does not depend on who else uses the machine.

## Ways in

The same request with a part of the way in and without it, ${reads.connections} connections, in turns, medians. With no credential and with one: the public
\`GET /api/v1/sign-in\`; the others: the read of an asset above, with an API key. Every server is on the first core, the load generator and nginx share the rest.

| with | requests/s with | without | share | added to the median, ms |
|---|---|---|---|---|
${waysIn.ways.map((way) => `| ${way.what} | ${whole(way.with)} | ${whole(way.without)} | ${percent(way.with / way.without)} | ${way.addedMs.toFixed(1)} |`).join("\n")}
${waysIn.missing.map((why) => `\nNot measured: ${why}.\n`).join("")}
## Writes

${appends.clients} clients of one organization; each append and each insert is a transaction of its own, synced to disk. ${appends.rounds} rounds in turns, medians.

| | a second |
|---|---|
| plain insert of a row of that size | ${whole(appends.plainInserts)} |
| append to the event log | ${whole(appends.appends)} (${percent(appends.ratio)}) |
| \`POST /api/v1/sites\` through the whole pipeline | ${whole(appends.sites)} |

Time from commit to position, as another connection sees it that looks every 2 ms: p50 ${ms(appends.position.p50)} ms, p95 ${ms(appends.position.p95)} ms under this load (${whole(appends.position.samples)} samples); p50 ${ms(appends.positionAtRest.p50)} ms, p95 ${ms(appends.positionAtRest.p95)} ms at rest.

## Events on the buses

${whole(buses.events)} events from the log, ${buses.rounds} rounds in turns, medians, events a second. Relay: from the log to the broker's acknowledgement, each event to each
of its topics; against the broker's own client with the same messages, as many at once. Consume: one consumer whose handler does nothing, in the order of each key,
with its checkpoint; against the broker's own client that acknowledges, or for \`postgres\` a loop over the log by position that writes its position after each page.

| bus | relay | own client | share | consume | own client | share |
|---|---|---|---|---|---|---|
${buses.buses.map(({ name, relay, consume }) => `| ${name} | ${relay === undefined ? "the log is the bus | | " : rates(relay)} | ${rates(consume)} |`).join("\n")}
${buses.missing.map((why) => `\nNot measured: ${why}.\n`).join("")}
## Workflows

${whole(workflows.runs)} runs of two steps asked for in one transaction, each step a row in a transaction of its own, until the last has ended; ${workflows.rounds} rounds in turns, medians.

| | runs a second |
|---|---|
| DBOS as one would write it by hand | ${whole(workflows.raw)} |
| the port on DBOS: with its own record, events and limits | ${whole(workflows.port)} (${percent(workflows.ratio)}) |

## Start and memory

\`qinfra up\` with the embedded PostgreSQL on data that is there: median ${whole(startup.median)} ms from the start of the process to the first 200 of \`/readyz\`, slowest ${whole(startup.slowest)} ms of ${startup.runs}.
Idle memory ten seconds after the start: server ${whole(startup.serverMb)} MB, PostgreSQL ${whole(startup.postgresMb)} MB in ${startup.postgresProcesses} processes (PSS of \`/proc/PID/smaps_rollup\`, which divides shared pages among those who share them).

## Scan

\`qinfra scan --dpkg-status\` of ${whole(scans.packages)} packages (${scans.list}) with ${whole(scans.findings)} findings, the whole command, median of ${scans.runs}: ${whole(scans.inProcess)} ms in process with \`--advisories\`, ${whole(scans.throughServer)} ms matched by the server.
`;
}

function row(name: string, side: Side): string {
  return `| ${name} | ${whole(side.requestsPerSecond)} | ${ms(side.p50)} | ${ms(side.p95)} | ${whole(side.cpuMicroseconds)} |`;
}

function rates({ platform, raw }: Rates): string {
  return `${whole(platform)} | ${whole(raw)} | ${percent(platform / raw)}`;
}

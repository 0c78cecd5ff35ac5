import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { root } from "../test/real/support/platform.ts";
import { measureAppends } from "./appends.ts";
import { measureBuses } from "./buses.ts";
import { describeMachine } from "./machine.ts";
import { measureReads } from "./reads.ts";
import { markdown } from "./report.ts";
import { measureScans } from "./scans.ts";
import { openStage } from "./stage.ts";
import { measureWorkflows } from "./workflows.ts";
import { measureWaysIn } from "./ways-in.ts";
import { measureStartup } from "./startup.ts";

/** `npm run bench`; with `--quick` short rounds and no file, to see that it works. */
async function main(args: readonly string[]): Promise<number> {
  const quick = args.includes("--quick");
  if (args.some((arg) => arg !== "--quick")) {
    process.stderr.write("npm run bench takes no argument but --quick.\n");
    return 2;
  }
  const timing = quick ? { rounds: 1, seconds: 2 } : { rounds: 5, seconds: 4 };
  const machine = describeMachine(new Date(), root);
  say("start and memory");
  const startup = await measureStartup({ runs: quick ? 1 : 7 });
  const stage = await openStage();
  try {
    say("reads");
    const reads = await measureReads(stage, timing);
    say("ways in");
    const waysIn = await measureWaysIn(stage, quick ? timing : { rounds: 3, seconds: 3 });
    say("writes");
    const appends = await measureAppends(stage, timing);
    say("buses");
    const buses = await measureBuses(stage, quick ? { rounds: 1, events: 1_000 } : { rounds: 3, events: 5_000 });
    say("workflows");
    const workflows = await measureWorkflows(stage, quick ? { rounds: 1, runs: 50 } : { rounds: 3, runs: 500 });
    say("scans");
    const scans = await measureScans(stage, { runs: quick ? 1 : 5 });
    const text = markdown({ machine, loadAfter: loadavg()[0] ?? 0, reads, waysIn, appends, buses, workflows, startup, scans });
    process.stdout.write(`\n${text}`);
    if (!quick) writeFileSync(join(root, "docs/performance.md"), text);
    return 0;
  } finally {
    await stage.close();
  }
}

function say(what: string): void {
  process.stderr.write(`Measuring ${what}\n`);
}

process.exit(await main(process.argv.slice(2)));

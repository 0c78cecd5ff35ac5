import type { Logger } from "pino";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { sql } from "../platform/database/sql.ts";
import { deleteOldUses } from "../platform/operation/usage.ts";
import { componentSetsOfImages } from "../modules/images/index.ts";
import { componentSetsOfAssets } from "../modules/inventory/index.ts";
import { sweepDeliveries } from "../modules/notifications/index.ts";
import { sweepProvider } from "../modules/organizations/index.ts";
import { sweepSoftware } from "../modules/software/index.ts";
import { sweepVulnerabilities } from "../modules/vulnerabilities/index.ts";
import type { Retention } from "./retention.ts";

const everyMs = 10 * 60_000;
const retentionTicks = 6; // hourly
const idempotencyMs = 24 * 60 * 60_000;
const useDaysMs = 7 * 24 * 60 * 60_000;

export interface HousekeepingPorts {
  database: Database;
  clock: Clock;
  log: Logger;
  /** Erases the organizations whose time is over. */
  eraseDue(): Promise<void>;
  /** Has open requests for approvals followed that nothing follows any more; answers how many. */
  followApprovals(everywhere: Database["system"]): Promise<number>;
  retention: Retention;
}

/** Clears what crashes and replaced data leave behind: once at start, then every ten minutes. */
export function startHousekeeping(ports: HousekeepingPorts): { stop(): Promise<void> } {
  const { log } = ports;
  const stopping = new AbortController();
  const notNow = (error: unknown): void => log.warn({ err: error }, "housekeeping failed; it is tried again later");
  let running: Promise<void> = Promise.resolve();
  let retiring: Promise<void> | undefined;
  let ticks = 0;
  function tick(): void {
    running = sweep(ports).catch(notNow);
    // By itself, because the first time it may move years.
    if (ticks++ % retentionTicks === 0) retiring ??= ports.retention.run(stopping.signal).catch(notNow).finally(() => (retiring = undefined));
  }
  tick();
  const timer = setInterval(tick, everyMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await running;
      await retiring;
    },
  };
}

async function sweep({ database, clock, log, eraseDue, followApprovals }: HousekeepingPorts): Promise<void> {
  const keys = await database.system((db) => db.run(sql`
    delete from platform.idempotency_keys where created_at < ${new Date(clock.now() - idempotencyMs).toISOString()}`));
  const used = await database.system(async (db) => [...(await componentSetsOfImages(db)), ...(await componentSetsOfAssets(db))]);
  const software = await database.system((db) => sweepSoftware(db, clock, used));
  const counts = await database.system((db) => deleteOldUses(db, new Date(clock.now() - useDaysMs).toISOString().slice(0, 10)));
  const swept = { idempotencyKeys: keys, counts, ...software, ...(await sweepVulnerabilities(database.system, clock)), ...(await sweepProvider(database, clock)), ...(await sweepDeliveries(database.system, clock)) };
  if (Object.values(swept).some((count) => count > 0)) log.info(swept, "housekeeping");
  await eraseDue();
  const approvals = await followApprovals((work) => database.system(work));
  if (approvals > 0) log.warn({ approvals }, "requests for approvals had lost the runs that wait for them; others have begun");
}

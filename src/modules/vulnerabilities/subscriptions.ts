import { timestamp } from "../../platform/clock.ts";
import { DeclaredError } from "../../platform/errors.ts";
import type { Subscription, SubscriptionContext } from "../../platform/events/types.ts";
import { toTypeId, uuidOf } from "../../platform/ids.ts";
import type { SubscriptionServices } from "../../platform/operation/index.ts";
import { componentSetIds, componentsOf, SoftwareRecorded } from "../software/index.ts";
import { buildReport, type ScanReport } from "./domain/report.ts";
import { FeedPublished, SoftwareMatched } from "./events.ts";
import { replaceMatch } from "./match-store.ts";
import { matchOf } from "./match-views.ts";
import { matchWithCurrent } from "./matching.ts";
import { matchSubscriptionId } from "./tasks.ts";
import { currentDatabase } from "./feed-views.ts";

const rematchId = "vulnerabilities.rematch";

interface Prepared {
  componentSetId: string;
  /** Absent where the set was matched with this advisory database before. */
  report?: ScanReport;
}

/** Matches the software of an image or asset when it becomes known. Callers wait for this one. */
export function matchSubscription(services: SubscriptionServices): Subscription<Prepared> {
  return {
    id: matchSubscriptionId,
    on: [SoftwareRecorded.type],
    prepare: (event) => prepareMatch(services, event.orgId, uuidOf("set", String(event.data["componentSet"]))),
    async handle({ db, events: log }, event, { componentSetId, report }) {
      if (report !== undefined) await keep({ db, events: log }, services, { orgId: event.orgId, componentSetId, report });
    },
  };
}

/**
 * Matches every component set anew when a feed changes: once for each distinct set, however many images and assets have
 * it, each in a short transaction of its own. Running again after a crash skips what is done. A set that cannot be matched
 * does not keep those behind it from it; that it could not is said at the end.
 */
export function rematchSubscription(services: SubscriptionServices): Subscription<undefined> {
  return {
    id: rematchId,
    on: [FeedPublished.type],
    async prepare({ requestId }, signal) {
      const sets = await services.database.system(componentSetIds);
      const failed: unknown[] = [];
      for (const { orgId, id } of sets) {
        signal.throwIfAborted();
        await rematch(services, { orgId, requestId }, id).catch((error: unknown) => {
          if (isAway(error)) throw error;
          services.log.warn({ err: error, orgId, componentSet: id }, "a component set could not be matched anew");
          failed.push(error);
        });
      }
      if (failed.length > 0) throw new Error(`${failed.length} of ${sets.length} component sets could not be matched anew`, { cause: failed[0] });
      return undefined;
    },
    // The effect is in the sets' own transactions, which are idempotent.
    handle: async () => undefined,
  };
}

async function rematch(services: SubscriptionServices, cause: { orgId: string; requestId: string }, componentSetId: string): Promise<void> {
  const { orgId } = cause;
  const { report } = await prepareMatch(services, orgId, componentSetId);
  if (report === undefined) return;
  await services.database.tenant(orgId, (db) => keep({ db, events: services.appenderFor(db, rematchId, cause) }, services, { orgId, componentSetId, report }));
}

async function keep({ db, events }: Pick<SubscriptionContext, "db" | "events">, { clock }: SubscriptionServices, match: { orgId: string; componentSetId: string; report: ScanReport }): Promise<void> {
  if (!(await replaceMatch(db, { ...match, now: timestamp(clock) }))) return;
  const { componentSetId, report } = match;
  await events.append({ type: SoftwareMatched, subject: toTypeId("set", componentSetId), data: { advisories: report.advisories.digest, ...report.summary } });
}

/** What would fail for every set alike, and passes. */
function isAway(error: unknown): boolean {
  return error instanceof DeclaredError && error.type.status === 503;
}

async function prepareMatch(services: SubscriptionServices, orgId: string, componentSetId: string): Promise<Prepared> {
  const { components, known, digest } = await services.database.tenant(orgId, async (db) => ({
    components: await componentsOf(db, componentSetId),
    known: await matchOf(db, componentSetId),
    digest: (await currentDatabase(db)).digest,
  }));
  if (known !== undefined && known.digest === digest) return { componentSetId };
  const stop = services.metrics.scanSeconds.startTimer();
  const { result, database } = await matchWithCurrent(
    { transaction: (work) => services.database.tenant(orgId, work), compute: services.compute }, components,
  );
  stop();
  const report = buildReport(result, { mode: "server", advisories: { digest: database.digest, newest: database.newest } });
  for (const finding of report.findings) services.metrics.vulnerabilitiesFound.inc({ severity: finding.severity });
  return { componentSetId, report };
}

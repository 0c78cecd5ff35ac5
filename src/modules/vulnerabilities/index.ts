import type { Module } from "../../platform/operation/index.ts";
import * as events from "./events.ts";
import { compareVersions } from "./operations/compare-versions.ts";
import { deleteFeed, listFeeds } from "./operations/feeds.ts";
import { importFeed, syncFeed } from "./operations/import-feed.ts";
import { listFindings, listImageVulnerabilities } from "./operations/list-findings.ts";
import { getAssetReport, getImageReport } from "./operations/reports.ts";
import { scan } from "./operations/scan.ts";
import { whatIs } from "./operations/what-is.ts";
import { syncFeedStep } from "./steps/sync-feed.ts";
import { vulnerabilityWorkflows } from "./workflows/sync-feeds.ts";
import { matchSubscription, rematchSubscription } from "./subscriptions.ts";
import type { Subscription } from "../../platform/events/types.ts";

export const vulnerabilities: Module = {
  name: "vulnerabilities",
  events: Object.values(events),
  operations: [scan, compareVersions, importFeed, syncFeed, listFeeds, deleteFeed, listFindings, listImageVulnerabilities, getImageReport, getAssetReport, whatIs],
  workflows: vulnerabilityWorkflows,
  steps: [syncFeedStep],
  subscriptions: (services) => [matchSubscription(services) as Subscription, rematchSubscription(services) as Subscription],
};

export { sweepVulnerabilities } from "./sweep.ts";
export { ScanReport } from "./domain/report.ts";

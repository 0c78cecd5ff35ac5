import { severities } from "./domain/exposure.ts";

/** A daily series. */
export interface Metric {
  id: string;
  /** `count`: how often in the day. `level`: how many there are at the end of the day. */
  kind: "count" | "level";
  summary: string;
}

const count = (id: string, summary: string): Metric => ({ id, kind: "count", summary });
const level = (id: string, summary: string): Metric => ({ id, kind: "level", summary });

const known: Readonly<Record<(typeof severities)[number], string>> = {
  critical: "of severity critical", high: "of severity high", medium: "of severity medium", low: "of severity low", none: "of severity none", unknown: "of which nobody states a severity",
};

export const metrics: readonly Metric[] = [
  level("assets.known", "Assets"),
  count("scans.completed", "Scans of assets and images that were recorded"),
  count("scans.failed", "Hosts that a scan of their site could not collect"),
  level("images.known", "Golden images"),
  count("images.registered", "Golden images that were registered"),
  ...severities.map((severity) => level(`findings.open.${severity}`, `Findings ${known[severity]} that are open on assets, counted once for each asset`)),
  ...severities.map((severity) => count(`findings.opened.${severity}`, `Findings ${known[severity]} that assets got`)),
  ...severities.map((severity) => count(`findings.resolved.${severity}`, `Findings ${known[severity]} that assets no longer have, those of deleted assets included`)),
  ...severities.map((severity) => level(`images.findings.${severity}`, `Findings ${known[severity]} in golden images, counted once for each image`)),
  count("feeds.published", "Versions of advisory feeds that became current; in the platform organization"),
  count("workflows.started", "Runs of workflows that were started"),
  count("workflows.succeeded", "Runs of workflows that succeeded"),
  count("workflows.failed", "Runs of workflows that failed"),
  count("workflows.cancelled", "Runs of workflows that were cancelled"),
  count("approvals.requested", "Requests for approval"),
  count("approvals.approved", "Decisions of people to approve"),
  count("approvals.rejected", "Decisions of people to reject"),
  count("approvals.executed", "Approved operations that ran"),
  count("approvals.ended", "Requests for approval that ended without running"),
  count("notifications.failed", "Messages to notification channels that were given up on"),
  count("sign-ins.succeeded", "Sessions that began"),
  count("access.refused", "Calls of known callers that were refused"),
  count("access.strangers-refused", "Calls of unknown callers that were refused; in the platform organization"),
];

export const metricIds: readonly string[] = metrics.map(({ id }) => id);

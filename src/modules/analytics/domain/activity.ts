/** What a fold reads of an event. */
export interface Happened {
  type: string;
  /** Place in the stream of its subject, from 1. */
  version: number;
  data: Record<string, unknown>;
}

/** By how much a metric changes. */
export interface Change {
  metric: string;
  by: number;
}

type Rule = (event: Happened) => readonly Change[];

const once = (metric: string): Rule => () => [{ metric, by: 1 }];

/** Which metric an event of a type moves. */
const rules: Readonly<Record<string, Rule>> = {
  // An asset is recorded with each of its scans; the first one makes it.
  "inventory.asset-recorded": ({ version }) => (version === 1 ? [{ metric: "assets.known", by: 1 }] : []),
  "inventory.asset-deleted": () => [{ metric: "assets.known", by: -1 }],
  "software.recorded": once("scans.completed"),
  "inventory.host-not-scanned": once("scans.failed"),
  "images.registered": () => [{ metric: "images.registered", by: 1 }, { metric: "images.known", by: 1 }],
  "images.deleted": () => [{ metric: "images.known", by: -1 }],
  "vulnerabilities.feed-published": once("feeds.published"),
  "workflows.started": once("workflows.started"),
  "workflows.ended": ({ data }) => [{ metric: `workflows.${String(data["state"])}`, by: 1 }],
  "approvals.requested": once("approvals.requested"),
  "approvals.decided": ({ data }) => [{ metric: data["decision"] === "approve" ? "approvals.approved" : "approvals.rejected", by: 1 }],
  "approvals.executed": once("approvals.executed"),
  "approvals.ended": once("approvals.ended"),
  "notifications.deliveries-failed": ({ data }) => [{ metric: "notifications.failed", by: Number(data["count"]) }],
  "sessions.created": once("sign-ins.succeeded"),
  "access.refused": once("access.refused"),
  "access.strangers-refused": ({ data }) => [{ metric: "access.strangers-refused", by: Number(data["count"]) }],
};

export const activityTypes: readonly string[] = Object.keys(rules);

export function changesOf(event: Happened): readonly Change[] {
  return rules[event.type]?.(event) ?? [];
}

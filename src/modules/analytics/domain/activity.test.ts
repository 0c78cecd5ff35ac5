import { describe, expect, it } from "vitest";
import { metricIds, metrics } from "../metrics.ts";
import { activityTypes, changesOf } from "./activity.ts";
import { daysAfter, daysBetween, seriesOf } from "./days.ts";

describe("what an event changes", () => {
  it.each([
    ["inventory.asset-recorded", 1, {}, { "assets.known": 1 }],
    ["inventory.asset-recorded", 3, {}, {}],
    ["inventory.asset-deleted", 4, {}, { "assets.known": -1 }],
    ["software.recorded", 2, { kind: "asset" }, { "scans.completed": 1 }],
    ["images.registered", 1, {}, { "images.registered": 1, "images.known": 1 }],
    ["images.deleted", 3, {}, { "images.known": -1 }],
    ["workflows.ended", 2, { state: "failed" }, { "workflows.failed": 1 }],
    ["workflows.ended", 2, { state: "succeeded" }, { "workflows.succeeded": 1 }],
    ["approvals.decided", 2, { decision: "approve" }, { "approvals.approved": 1 }],
    ["approvals.decided", 2, { decision: "reject" }, { "approvals.rejected": 1 }],
    ["inventory.host-not-scanned", 5, { code: "host-unreachable" }, { "scans.failed": 1 }],
    ["approvals.ended", 4, { state: "expired" }, { "approvals.ended": 1 }],
    ["notifications.deliveries-failed", 4, { count: 3 }, { "notifications.failed": 3 }],
    ["access.strangers-refused", 9, { count: 17 }, { "access.strangers-refused": 17 }],
    ["organizations.renamed", 2, {}, {}],
  ])("%s, version %i, %o", (type, version, data, expected) => {
    expect(Object.fromEntries(changesOf({ type, version, data }).map(({ metric, by }) => [metric, by]))).toEqual(expected);
  });

  it("names metrics that are listed, once each", () => {
    const data = [{ state: "succeeded", decision: "approve", count: 1 }, { state: "failed", decision: "reject", count: 1 }, { state: "cancelled", count: 1 }];
    const named = activityTypes.flatMap((type) => data.flatMap((one) => changesOf({ type, version: 1, data: one }).map(({ metric }) => metric)));
    expect(named.filter((metric) => !metricIds.includes(metric))).toEqual([]);
    expect(metrics.map(({ id }) => id).filter((id) => !id.includes("findings") && !named.includes(id))).toEqual([]);
    expect(new Set(metricIds).size).toBe(metricIds.length);
  });
});

describe("days", () => {
  const changes = { before: 3, days: new Map([["2026-02-28", 2], ["2026-03-02", -1]]) };

  it.each([
    ["count" as const, [2, 0, -1]],
    ["level" as const, [5, 5, 4]],
  ])("a %s is filled", (kind, values) => {
    expect(seriesOf(kind, changes, "2026-02-28", "2026-03-02")).toEqual(["2026-02-28", "2026-03-01", "2026-03-02"].map((day, i) => ({ day, value: values[i] })));
  });

  it.each([
    ["2026-03-28", 2, "2026-03-30"], ["2024-02-28", 1, "2024-02-29"], ["2026-01-01", -1, "2025-12-31"],
  ])("%s and %i", (day, days, expected) => {
    expect(daysAfter(day, days)).toBe(expected);
    expect(daysBetween(day, expected)).toBe(days + 1);
  });
});

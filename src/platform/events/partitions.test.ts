import { expect, it } from "vitest";
import { firstKept, monthOf, yyyymmOf } from "./partitions.ts";

it.each([
  { now: "2026-11-21T12:00:00Z", months: 13, kept: 202510 },
  { now: "2026-11-01T00:00:00Z", months: 1, kept: 202610 },
  { now: "2026-01-31T23:59:59Z", months: 1, kept: 202512 },
  { now: "2026-03-31T00:00:00Z", months: 13, kept: 202502 },
  { now: "2026-11-21T12:00:00Z", months: 1_200, kept: 192611 },
])("keeps $months months of $now from $kept on", ({ now, months, kept }) => {
  expect(firstKept(Date.parse(now), months)).toBe(kept);
});

it.each([
  { month: 202512, ofDefault: false, partition: "log_202512", to: "2026-01-01T00:00:00Z" },
  { month: 202601, ofDefault: true, partition: "log_default_202601", to: "2026-02-01T00:00:00Z" },
])("bounds $month by the ids of its events", ({ month, ofDefault, partition, to }) => {
  const made = monthOf(month, ofDefault);
  const time = (id: string): number => Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
  expect(made).toMatchObject({ partition, ofDefault });
  expect(yyyymmOf(time(made.from))).toBe(month);
  expect(new Date(time(made.to)).toISOString()).toBe(to.replace("Z", ".000Z"));
  expect(yyyymmOf(time(made.from) - 1)).not.toBe(month);
});

import { describe, expect, it } from "vitest";
import { utcTimes } from "./schemas.ts";

describe("the times of a filter", () => {
  it("are given in UTC, and what else it holds stays", () => {
    expect(utcTimes({ type: "x", from: "2026-01-01T01:00:00+23:59" })).toEqual({ type: "x", from: "2025-12-31T01:01:00.000Z" });
  });

  // Each is a date-time of RFC 3339, which PostgreSQL refuses.
  it.each(["0000-01-01T00:00:00Z", "2016-12-31T23:59:60Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])("are refused where there is no such time: %s", (to) => {
    expect(() => utcTimes({ to })).toThrow("/to: is not a time");
  });
});

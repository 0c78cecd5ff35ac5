import { describe, expect, it } from "vitest";
import { nextTime, timesUntil } from "./cron.ts";

const at = (text: string): number => Date.parse(text);
const shown = (times: readonly (number | undefined)[]): (string | undefined)[] => times.map((time) => (time === undefined ? undefined : new Date(time).toISOString()));

describe("the next time of a schedule", () => {
  it.each([
    ["each minute", "* * * * *", "UTC", "2026-11-21T10:00:30Z", "2026-11-21T10:01:00.000Z"],
    ["is after the time, not at it", "0 10 * * *", "UTC", "2026-11-21T10:00:00Z", "2026-11-22T10:00:00.000Z"],
    ["in its time zone", "30 2 * * *", "Europe/Zurich", "2026-11-21T00:00:00Z", "2026-11-21T01:30:00.000Z"],
    ["each weekday", "0 9 * * 1-5", "UTC", "2026-11-21T00:00:00Z", "2026-11-23T09:00:00.000Z"],
    ["where the clock skips the hour, it is when the clock has skipped", "30 2 * * *", "Europe/Zurich", "2026-03-28T22:00:00Z", "2026-03-29T01:00:00.000Z"],
    ["where the hour comes twice, it comes once", "30 2 * * *", "Europe/Zurich", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00.000Z"],
    ["on a day that only some years have", "0 0 29 2 *", "UTC", "2026-11-21T00:00:00Z", "2028-02-29T00:00:00.000Z"],
  ])("%s", (_what, cron, zone, after, next) => {
    expect(shown([nextTime(cron, zone, at(after))])).toEqual([next]);
  });

  it.each([
    ["* * * *", "UTC", "five fields"],
    ["61 * * * *", "UTC", "61 * * * *"],
    ["* * * * * *", "UTC", "five fields"],
    ["@daily", "UTC", "five fields"],
    ["* * * * *", "Mars/Olympus", /: Mars\/Olympus is not the IANA name of a time zone, such as Europe\/Zurich$/],
  ])("is refused where %s in %s says nothing", (cron, zone, said) => {
    expect(() => nextTime(cron, zone, 0)).toThrow(said);
  });
});

it("given times that were missed, then all of them are due, and the next is after now", () => {
  const { due, next } = timesUntil("0 * * * *", "UTC", at("2026-11-21T10:00:00Z"), at("2026-11-21T13:30:00Z"));
  expect(shown(due)).toEqual(["2026-11-21T10:00:00.000Z", "2026-11-21T11:00:00.000Z", "2026-11-21T12:00:00.000Z", "2026-11-21T13:00:00.000Z"]);
  expect(shown([next])).toEqual(["2026-11-21T14:00:00.000Z"]);
});

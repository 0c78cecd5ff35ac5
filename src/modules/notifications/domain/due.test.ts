import { describe, expect, it } from "vitest";
import { dueAt, endOfQuiet, weekdays, type QuietHours } from "./due.ts";

const zurich = "Europe/Zurich";
const night = (more: Partial<QuietHours> = {}): QuietHours => ({ days: [...weekdays], from: "22:00", to: "07:00", timeZone: zurich, ...more });
const utc = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16));

// In 2026 clocks in Zurich go forward on 29 March at 02:00 (01:00 UTC) and back on 25 October at 03:00 (01:00 UTC).
describe("the end of quiet hours", () => {
  it.each<[string, QuietHours, string, string | undefined]>([
    ["before they begin", night(), "2026-06-10T19:59Z", undefined],
    ["at the moment they begin", night(), "2026-06-10T20:00Z", "2026-06-11T05:00"],
    ["before midnight", night(), "2026-06-10T21:30Z", "2026-06-11T05:00"],
    ["after midnight", night(), "2026-06-11T01:30Z", "2026-06-11T05:00"],
    ["at the moment they end", night(), "2026-06-11T05:00Z", undefined],
    ["in winter, an hour later in UTC", night(), "2026-01-10T22:00Z", "2026-01-11T06:00"],
    ["over the night in which clocks go forward", night(), "2026-03-28T23:00Z", "2026-03-29T05:00"],
    ["over the night in which clocks go back", night(), "2026-10-24T23:00Z", "2026-10-25T06:00"],
    ["in the second of the two hours from two to three", night({ from: "00:00", to: "04:00" }), "2026-10-25T01:30Z", "2026-10-25T03:00"],
    ["that end at a time that comes twice, at the first", night({ from: "22:00", to: "02:30" }), "2026-10-24T22:00Z", "2026-10-25T00:30"],
    ["that end at a time that is skipped, right after", night({ from: "22:00", to: "02:30" }), "2026-03-29T00:30Z", "2026-03-29T01:00"],
    ["after the end that comes twice", night({ from: "22:00", to: "02:30" }), "2026-10-25T00:45Z", undefined],
    ["of an evening whose day they do not begin on", night({ days: ["monday"] }), "2026-06-10T21:00Z", undefined],
    ["of the morning after the one day they begin on", night({ days: ["tuesday"] }), "2026-06-10T01:00Z", "2026-06-10T05:00"],
    ["of the morning of that day itself", night({ days: ["wednesday"] }), "2026-06-10T01:00Z", undefined],
    ["within one day", night({ from: "12:00", to: "13:00" }), "2026-06-10T10:30Z", "2026-06-10T11:00"],
    ["of a whole day", night({ days: ["saturday"], from: "00:00", to: "00:00" }), "2026-06-13T10:00Z", "2026-06-13T22:00"],
    ["of a weekend as two whole days", night({ days: ["saturday", "sunday"], from: "00:00", to: "00:00" }), "2026-06-13T10:00Z", "2026-06-14T22:00"],
    ["in a zone of half hours", night({ timeZone: "Asia/Kolkata" }), "2026-06-10T17:00Z", "2026-06-11T01:30"],
    ["on the other side of the date line", night({ timeZone: "Pacific/Auckland", days: ["thursday"] }), "2026-06-11T11:00Z", "2026-06-11T19:00"],
  ])("given quiet hours %s", (_what, quiet, now, end) => {
    expect(utc(endOfQuiet(quiet, Date.parse(now)))).toBe(end);
  });

  it("given every hour of every day, then nothing is held for longer than a week and a day", () => {
    const now = Date.parse("2026-06-10T12:00Z");
    const end = endOfQuiet(night({ from: "00:00", to: "00:00" }), now) ?? 0;
    expect(end - now).toBeGreaterThan(6 * 86_400_000);
    expect(end - now).toBeLessThanOrEqual(8 * 86_400_000);
  });
});

describe("when a message is due", () => {
  const evening = Date.parse("2026-06-10T21:30Z");
  const noon = Date.parse("2026-06-10T10:00Z");
  const daily = { cron: "30 6 * * *", timeZone: zurich };
  it.each<[string, Parameters<typeof dueAt>, string, boolean]>([
    ["at once", [{}, false, noon], "2026-06-10T10:00", false],
    ["at once outside of quiet hours", [{ quiet: night() }, false, noon], "2026-06-10T10:00", false],
    ["at their end, together, within quiet hours", [{ quiet: night() }, false, evening], "2026-06-11T05:00", true],
    ["at once within quiet hours where it is urgent", [{ quiet: night() }, true, evening], "2026-06-10T21:30", false],
    ["with the next digest", [{ digest: daily }, false, noon], "2026-06-11T04:30", true],
    ["at once where it is urgent, digest or not", [{ digest: daily }, true, noon], "2026-06-10T10:00", false],
    ["at the end of the quiet hours in which its digest would be", [{ digest: daily, quiet: night() }, false, noon], "2026-06-11T05:00", true],
    ["with the digest where that is after the quiet hours", [{ digest: { ...daily, cron: "0 9 * * *" }, quiet: night() }, false, evening], "2026-06-11T07:00", true],
  ])("%s", (_what, [rule, urgent, now], at, together) => {
    const due = dueAt(rule, urgent, now);
    expect([utc(due.at), due.together]).toEqual([at, together]);
  });
});

import { nextTime } from "../../../platform/workflow/cron.ts";

export const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] as const;
export type Weekday = (typeof weekdays)[number];

/** Hours in which nothing is sent but what is urgent. */
export interface QuietHours {
  /** On which they begin. */
  days: readonly Weekday[];
  /** `22:00`; one that ends before it begins, or at the same time, ends on the next day. */
  from: string;
  to: string;
  /** IANA name. */
  timeZone: string;
}

export interface Digest {
  /** Five fields, crontab(5). */
  cron: string;
  timeZone: string;
}

/** When a message is due, in milliseconds since 1970, and whether others that are due then are told in the same one. */
export interface Due {
  at: number;
  together: boolean;
}

const dayMs = 86_400_000;
/** Longer than any day: one has 25 hours when clocks go back. */
const lookBackMs = 26 * 3_600_000;
const mostDays = 7;

/**
 * When a message about what happens at `now` is due: at once, with the next digest, or at the end of quiet hours,
 * whichever comes last. What is urgent is due at once.
 */
export function dueAt(rule: { digest?: Digest; quiet?: QuietHours }, urgent: boolean, now: number): Due {
  if (urgent) return { at: now, together: false };
  const digestAt = rule.digest === undefined ? undefined : nextTime(rule.digest.cron, rule.digest.timeZone, now);
  const at = digestAt ?? now;
  const quietUntil = rule.quiet === undefined ? undefined : endOfQuiet(rule.quiet, at);
  return { at: quietUntil ?? at, together: digestAt !== undefined || quietUntil !== undefined };
}

/**
 * When the quiet hours in which `now` lies are over; undefined outside of them. Those that follow without a gap count
 * as one, up to a week. Local times are those of the zone: one that a clock skips in spring is taken right after it, and
 * of one that comes twice in autumn the first.
 */
export function endOfQuiet(quiet: QuietHours, now: number): number | undefined {
  let end: number | undefined;
  for (let moment = now; moment < now + mostDays * dayMs; ) {
    const next = endOfOne(quiet, moment);
    if (next === undefined) break;
    end = next;
    moment = next;
  }
  return end;
}

function endOfOne({ days, from, to, timeZone }: QuietHours, now: number): number | undefined {
  const begins = `${minuteAndHour(from)} * * ${days.map((day) => weekdays.indexOf(day)).join(",")}`;
  const ends = `${minuteAndHour(to)} * * *`;
  let end: number | undefined;
  for (let begin = nextTime(begins, timeZone, now - lookBackMs); begin !== undefined && begin <= now; begin = nextTime(begins, timeZone, begin)) {
    const over = nextTime(ends, timeZone, begin);
    if (over !== undefined && over > now && over > (end ?? now)) end = over;
  }
  return end;
}

function minuteAndHour(time: string): string {
  const [hour, minute] = time.split(":");
  return `${Number(minute)} ${Number(hour)}`;
}

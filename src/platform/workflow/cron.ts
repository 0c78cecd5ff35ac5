import { Cron } from "croner";
import { fail } from "../errors.ts";
import { ScheduleInvalid } from "./errors.ts";

/** Most times that are looked back for; a schedule of each minute that was away for a day misses 1,440. */
const mostMissed = 2_000;

/**
 * The next time after the given one, both in milliseconds since 1970; undefined where there is none any more. Five fields
 * as crontab(5) has them, in the time zone (IANA name): an hour that a clock skips in spring does not lose its run, and
 * one that comes twice in autumn has one. Errors: ScheduleInvalid.
 */
export function nextTime(cron: string, timeZone: string, after: number): number | undefined {
  return parsed(cron, timeZone).nextRun(new Date(after))?.getTime();
}

/** All times from `first` to `now`, the newest last, and the next one after. */
export function timesUntil(cron: string, timeZone: string, first: number, now: number): { due: number[]; next: number | undefined } {
  const schedule = parsed(cron, timeZone);
  const due: number[] = [];
  let next: number | undefined = first;
  while (next !== undefined && next <= now) {
    due.push(next);
    if (due.length > mostMissed) due.shift();
    next = schedule.nextRun(new Date(next))?.getTime();
  }
  return { due, next };
}

function parsed(cron: string, timezone: string): Cron {
  try {
    if (cron.trim().split(/\s+/).length !== 5) throw new Error("it has five fields: minute, hour, day of the month, month, day of the week");
    if (!isTimeZone(timezone)) throw new Error(`${timezone} is not the IANA name of a time zone, such as Europe/Zurich`);
    return new Cron(cron, { timezone, paused: true });
  } catch (error) {
    return fail(ScheduleInvalid, `"${cron}" in ${timezone} is no schedule: ${(error as Error).message.replace(/^CronPattern: /, "")}`);
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

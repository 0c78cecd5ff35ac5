import type { LiveEvent, LiveFilter, LivePage } from "./live-read.ts";

/** The newest events of an organization, for all who listen there. Bounded in number and bytes. */
export interface Tail {
  push(event: LiveEvent): void;
  /** Undefined where the tail does not reach back that far; the log does. */
  after(seq: number, filter: LiveFilter, limit: number): LivePage | undefined;
}

const mostEvents = 500;
const mostBytes = 1024 * 1024;

export function createTail(): Tail {
  let events: LiveEvent[] = [];
  let bytes = 0;

  return {
    push(event) {
      const last = events.at(-1)?.seq;
      if (last !== undefined && event.seq <= last) return;
      // A gap means that something was missed: who needs it reads the log.
      if (last !== undefined && event.seq > last + 1) [events, bytes] = [[], 0];
      events.push(event);
      bytes += event.body.length;
      while (events.length > mostEvents || (bytes > mostBytes && events.length > 1)) bytes -= events.shift()?.body.length ?? 0;
    },
    after(seq, filter, limit) {
      const first = events[0]?.seq;
      const last = events.at(-1)?.seq;
      if (first === undefined || last === undefined || seq < first - 1) return undefined;
      const found = events.slice(Math.max(0, seq - first + 1)).filter((event) => passes(event, filter));
      const page = found.slice(0, limit);
      return { events: page, end: Math.max(seq, found.length > limit ? (page.at(-1)?.seq ?? last) : last), gone: false };
    },
  };
}

export function passes({ type, subject }: LiveEvent, { types, subjects }: LiveFilter): boolean {
  return (types === undefined || types.includes(type)) && (subjects === undefined || subjects.includes(subject));
}

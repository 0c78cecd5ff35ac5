import type { EventType } from "../events/declare.ts";
import type { EventAppender } from "../events/types.ts";

/** An appender that remembers what was appended, so that the pipeline can wait for the handling of one of the events. */
export interface EventTrace extends EventAppender {
  /** The last event of that type that this operation appended. */
  idOf(type: EventType): string | undefined;
  /** What the events that this operation appended are about. */
  subjects(): readonly string[];
}

export function createEventTrace(appender: EventAppender): EventTrace {
  const ids = new Map<string, string>();
  const subjects = new Set<string>();
  return {
    async append(event) {
      const id = await appender.append(event);
      ids.set(event.type.type, id);
      subjects.add(event.subject);
      return id;
    },
    idOf: ({ type }) => ids.get(type),
    subjects: () => [...subjects],
  };
}

import { Type, type TObject, type TProperties } from "typebox";

/** A type of event as its module declares it: the log, AsyncAPI, the docs and live updates go by it. */
export interface EventType {
  /** `<module>.<past participle>`, stable. */
  type: string;
  /** One line: what happened. */
  summary: string;
  /** What somebody must hold to see it live; the whole log needs `audit:read`. */
  permission: `${string}:${string}`;
  /** Ids, numbers and enumerated values. Members may be added; one that is there keeps its name and its meaning. */
  data: TObject;
}

/** Declares a type of event, with the members of its data. */
export function eventType(spec: Omit<EventType, "data"> & { data: TProperties }): EventType {
  return { ...spec, data: Type.Object(spec.data) };
}

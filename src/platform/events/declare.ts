import { Type, type TObject, type TProperties } from "typebox";

/** A type of event as its module declares it: the log, AsyncAPI, the docs and live updates go by it. */
export interface EventType<Data extends TObject = TObject> {
  /** `<what>.<past participle>`, stable. */
  type: string;
  /** One line: what happened. */
  summary: string;
  /** What somebody must hold to see it live; the whole log needs `audit:read`. */
  permission: `${string}:${string}`;
  /** Ids, numbers and enumerated values. Members may be added; one that is there keeps its name and its meaning. */
  data: Data;
}

/** Declares a type of event, with the members of its data. */
export function eventType<Data extends TProperties>(spec: Omit<EventType, "data"> & { data: Data }): EventType<TObject<Data>> {
  return { ...spec, data: Type.Object(spec.data) };
}

import type { StoredEvent } from "../../../platform/events/types.ts";

export type Scalar = string | number | boolean;

/** One thing that must be so of a member of an event's data, `counts.critical` where it lies deeper. */
export interface Condition {
  member: string;
  /** It is one of these. */
  is?: readonly Scalar[];
  /** It is a number and at least this. */
  atLeast?: number;
}

export interface Filter {
  /** The event's subject begins so. */
  subjectBegins?: string;
  data?: readonly Condition[];
}

/** Whether `type` is one of those named, by itself or as `images.*`. */
export function isOfTypes(type: string, named: readonly string[]): boolean {
  return named.some((one) => one === type || (one.endsWith(".*") && type.startsWith(one.slice(0, -1))));
}

/** Every form by which a rule may name that type. */
export function namesOf(type: string): string[] {
  return [type, `${type.slice(0, type.indexOf("."))}.*`];
}

export function passes(event: Pick<StoredEvent, "subject" | "data">, { subjectBegins, data = [] }: Filter): boolean {
  return (subjectBegins === undefined || event.subject.startsWith(subjectBegins)) && holdAll(event.data, data);
}

export function holdAll(data: unknown, conditions: readonly Condition[]): boolean {
  return conditions.every(({ member, is, atLeast }) => {
    const value = memberOf(data, member);
    return (is === undefined || is.includes(value as Scalar)) && (atLeast === undefined || (typeof value === "number" && value >= atLeast)) && value !== undefined;
  });
}

/** What lies at the path, by own members of objects only; undefined where there is nothing. */
export function memberOf(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split(".")) {
    if (typeof found !== "object" || found === null || Array.isArray(found) || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

/**
 * What the sending of messages brings about itself. A rule on it would feed on what it sends.
 */
export function isOwnEcho({ type, data }: Pick<StoredEvent, "type" | "data">): boolean {
  return type.startsWith("workflows.") && typeof data["workflow"] === "string" && data["workflow"].startsWith("notifications.");
}

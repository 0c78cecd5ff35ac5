import type { StoredEvent } from "../../../platform/events/types.ts";
import { render, shown, type TemplateValues } from "./template.ts";

export interface Template {
  title?: string;
  text: string;
}

/** One event of a message, with what its type says of it and the name of its subject. */
export interface Told {
  event: StoredEvent;
  summary: string;
  name: string;
}

/** What is sent, whatever the channel. */
export interface Message {
  /** TypeID of the delivery, the same for each attempt. */
  id: string;
  kind: "event" | "digest" | "test";
  /** Name of the rule; of a test, that of the channel. */
  rule: string;
  told: readonly Told[];
  template?: Template;
}

type Escape = (text: string) => string;
const plain: Escape = (text) => text;
const mostDetails = 12;

export function titleOf(message: Message, one: Told, escape: Escape = plain): string {
  return message.template?.title === undefined ? escape(shown(one.summary)) : render(message.template.title, valuesOf(message, one), escape);
}

/** What is said of one event: the template, or its subject, its time and the plain members of its data. */
export function textOf(message: Message, one: Told, escape: Escape = plain): string {
  if (message.template !== undefined) return render(message.template.text, valuesOf(message, one), escape);
  const { event, name } = one;
  const subject = name === event.subject ? event.subject : `${name} (${event.subject})`;
  const details = plainMembers(event.data).slice(0, mostDetails).map(([path, value]) => `${path}: ${shown(value)}`);
  return [`${subject} at ${event.time}`, ...details].map((line) => escape(shown(line))).join("\n");
}

/** Members that are no lists and no objects, by their paths. */
function plainMembers(data: Record<string, unknown>, prefix = ""): [path: string, value: unknown][] {
  return Object.entries(data).flatMap(([name, value]): [string, unknown][] => {
    if (typeof value !== "object" || value === null) return [[`${prefix}${name}`, value]];
    return Array.isArray(value) ? [] : plainMembers(value as Record<string, unknown>, `${prefix}${name}.`);
  });
}

/** Of the whole message. */
export function headlineOf(message: Message): string {
  const [first] = message.told;
  if (message.kind === "digest" || first === undefined) return `${message.told.length} ${message.told.length === 1 ? "event" : "events"} (${message.rule})`;
  return titleOf(message, first);
}

/** In one line, for lists. */
export function lineOf(message: Message, one: Told, escape: Escape = plain): string {
  const text = message.template === undefined ? escape(`${shown(one.name)} at ${one.event.time}`) : textOf(message, one, escape).replaceAll(/\s*\n\s*/g, " ");
  return `${titleOf(message, one, escape)}: ${text}`;
}

function valuesOf(message: Message, { event, summary, name }: Told): TemplateValues {
  const { id, type, subject, time, actor, data } = event;
  return { event: { id, type, subject, time, actor, data }, summary, name, rule: message.rule };
}

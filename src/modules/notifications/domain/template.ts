import { memberOf } from "./matching.ts";

/** What a template may name. Only JSON values: strings, numbers, booleans, and objects of them. */
export interface TemplateValues {
  event: { id: string; type: string; subject: string; time: string; actor: string; data: Record<string, unknown> };
  /** What happened, as the type of the event says it. */
  summary: string;
  /** Name of the event's subject, or its id. */
  name: string;
  rule: string;
}

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g;
const path = /^(summary|name|rule|event\.(id|type|subject|time|actor|data(\.[A-Za-z0-9_-]{1,64}){1,8}))$/;
const mostCharacters = 8_000;
const mostOfOne = 1_000;

/** The first placeholder that means nothing, or undefined. */
export function wrongPlaceholder(template: string): string | undefined {
  for (const [whole, inner = ""] of template.matchAll(placeholder)) if (!path.test(inner)) return whole;
  return undefined;
}

/**
 * The template with its placeholders replaced, each by one value through `escape`. Nothing is evaluated: a value that
 * looks like a placeholder stays as it is, members of prototypes cannot be reached, and what is not there is empty.
 */
export function render(template: string, values: TemplateValues, escape: (text: string) => string = (text) => text): string {
  return template.replaceAll(placeholder, (_whole, inner: string) => (path.test(inner) ? escape(shown(memberOf(values, inner))) : "")).slice(0, mostCharacters);
}

/** Text without control characters, which could forge lines or hide others. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.slice(0, mostOfOne).replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");
}

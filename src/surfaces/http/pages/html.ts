const markup = Symbol("markup");

/** Text that is HTML already: made by `html`, never from what a person or a database said. */
export interface Html {
  readonly [markup]: string;
}

/** What may stand in a template. Text and numbers are escaped; null, undefined and booleans show nothing. */
export type HtmlValue = Html | string | number | boolean | null | undefined | readonly HtmlValue[];

/**
 * Builds HTML in which every value is escaped, for text and for attribute values in double quotes. A value must not stand
 * where HTML has other rules: in a tag or attribute name, in an unquoted attribute, in a script or a style.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return { [markup]: parts.map((part, i) => (i === 0 ? part : textOf(values[i - 1]) + part)).join("") };
}

/** The document's text. */
export function render(fragment: Html): string {
  return fragment[markup];
}

export const nothing = html``;

function textOf(value: HtmlValue): string {
  if (value === null || value === undefined || typeof value === "boolean") return "";
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  if (markup in value) return value[markup];
  return value.map(textOf).join("");
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] as string);
}

import { createHash } from "node:crypto";

/** A statement with its parameters. Made by `sql` only, so that no value is ever written into the text. */
export interface Query {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Name of the prepared statement; absent where there are too many texts to keep a plan for each. */
  readonly name?: string;
}

/** The text between the values. */
const partsOf: unique symbol = Symbol("sql");

interface Made extends Query {
  readonly [partsOf]: readonly string[];
}

function isMade(value: unknown): value is Made {
  return typeof value === "object" && value !== null && partsOf in value;
}

interface Named {
  text: string;
  name?: string;
}

const byStrings = new WeakMap<TemplateStringsArray, Named>();
const byText = new Map<string, Named>();
/** Each name is a plan in each connection. Texts beyond these are planned anew each time. */
const mostTexts = 500;

/**
 * ``sql`select * from images.golden_images where id = ${id}` ``; a value that is itself a `sql` query is put in as a
 * fragment. Texts are named, so that PostgreSQL plans each once a connection.
 */
export function sql(strings: TemplateStringsArray, ...values: unknown[]): Query {
  if (!values.some(isMade)) {
    let known = byStrings.get(strings);
    if (known === undefined) {
      known = named(textOf(strings));
      byStrings.set(strings, known);
    }
    return { ...known, values, [partsOf]: strings } as Made;
  }
  const parts: string[] = [];
  const flat: unknown[] = [];
  let open = strings[0] as string;
  values.forEach((value, i) => {
    const rest = strings[i + 1] as string;
    if (!isMade(value)) {
      flat.push(value);
      parts.push(open);
      open = rest;
      return;
    }
    const inner = [...value[partsOf]];
    inner[0] = `${open}${inner[0]}`;
    open = `${inner.pop()}${rest}`;
    parts.push(...inner);
    flat.push(...value.values);
  });
  parts.push(open);
  const text = textOf(parts);
  return { ...(byText.get(text) ?? remembered(text)), values: flat, [partsOf]: parts } as Made;
}

function textOf(parts: readonly string[]): string {
  return parts.reduce((all, part, i) => `${all}$${i}${part}`);
}

function named(text: string): Named {
  return { text, name: `q_${createHash("sha1").update(text).digest("base64url")}` };
}

function remembered(text: string): Named {
  if (byText.size >= mostTexts) return { text };
  const made = named(text);
  byText.set(text, made);
  return made;
}

export const none: Query = sql``;

/** Joins fragments with a separator that is a constant of the program. */
export function join(parts: readonly Query[], separator: " and " | ", "): Query {
  return parts.reduce((all, part, i) => (i === 0 ? part : separator === ", " ? sql`${all}, ${part}` : sql`${all} and ${part}`), none);
}

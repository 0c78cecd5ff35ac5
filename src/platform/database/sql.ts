import { createHash } from "node:crypto";

/** A statement with its parameters. Made by `sql` only, so that no value is ever written into the text. */
export interface Query {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Name of the prepared statement; absent for a text that was put together from fragments. */
  readonly name?: string;
}

const names = new WeakMap<TemplateStringsArray, { text: string; name: string }>();

function isQuery(value: unknown): value is Query {
  return typeof value === "object" && value !== null && fragmentMark in value;
}
const fragmentMark: unique symbol = Symbol("sql");

/**
 * ``sql`select * from images.golden_images where id = ${id}` ``; a value that is itself a `sql` query is put in as a
 * fragment. A text without fragments is named, so that PostgreSQL plans it once a connection.
 */
export function sql(strings: TemplateStringsArray, ...values: unknown[]): Query {
  if (!values.some(isQuery)) {
    let known = names.get(strings);
    if (known === undefined) {
      const text = strings.reduce((all, part, i) => `${all}$${i}${part}`);
      known = { text, name: `q_${createHash("sha1").update(text).digest("base64url")}` };
      names.set(strings, known);
    }
    return { text: known.text, name: known.name, values, [fragmentMark]: true } as Query;
  }
  let text = "";
  const flat: unknown[] = [];
  function add(parts: readonly string[], items: readonly unknown[]): void {
    parts.forEach((part, i) => {
      text += part;
      if (i >= items.length) return;
      const item = items[i];
      if (isQuery(item)) {
        const inner = item.text.split(/\$\d+/);
        const order = [...item.text.matchAll(/\$(\d+)/g)].map((m) => item.values[Number(m[1]) - 1]);
        add(inner, order);
        return;
      }
      flat.push(item);
      text += `$${flat.length}`;
    });
  }
  add(strings, values);
  return { text, values: flat, [fragmentMark]: true } as Query;
}

export const none: Query = sql``;

/** Joins fragments with a separator that is a constant of the program. */
export function join(parts: readonly Query[], separator: " and " | ", "): Query {
  return parts.reduce((all, part, i) => (i === 0 ? part : separator === ", " ? sql`${all}, ${part}` : sql`${all} and ${part}`), none);
}

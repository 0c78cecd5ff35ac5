import { fail, InvalidInput } from "../errors.ts";

/** An opaque cursor of a keyset page. */
export function toCursor(key: string): string {
  return Buffer.from(key).toString("base64url");
}

/** The key of a cursor, or `InvalidInput` where it is not one that `matches`. */
export function fromCursor(cursor: string | undefined, matches: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const key = Buffer.from(cursor, "base64url").toString();
  if (!matches.test(key)) fail(InvalidInput, "/cursor: is not a cursor of this list; use `next` of the page before as it is");
  return key;
}

export const uuidKey = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const numberKey = /^\d{1,15}$/;
export const anyKey = /^[^\0]{1,400}$/;

/** A page of what was read with `limit + 1`: the surplus item only says that there is another page. */
export function pageOf<T>(read: readonly T[], limit: number, keyOf: (item: T) => string): { items: T[]; next?: string } {
  const items = read.slice(0, limit);
  const last = items.at(-1);
  return read.length > limit && last !== undefined ? { items, next: toCursor(keyOf(last)) } : { items };
}

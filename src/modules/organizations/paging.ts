import { fail, InvalidInput } from "../../platform/errors.ts";
import { fromTypeId } from "../../platform/ids.ts";

const beforeAll = "00000000-0000-0000-0000-000000000000";

/** Lists go by id, and a cursor is the last id of its page. One row more than the limit shows whether there is more. */
export function pageOf(prefix: string, input: { limit?: number; cursor?: string }): { after: string; limit: number } {
  const after = input.cursor === undefined ? beforeAll : fromTypeId(prefix, input.cursor);
  if (after === undefined) fail(InvalidInput, "/cursor: is not the `next` of an earlier page of this list");
  return { after, limit: (input.limit ?? 100) + 1 };
}

export function pageWith<Item>(items: readonly Item[], limit: number, idOf: (item: Item) => string): { items: Item[]; next?: string } {
  const shown = items.slice(0, limit - 1);
  const last = shown.at(-1);
  return { items: shown, ...(items.length < limit || last === undefined ? {} : { next: idOf(last) }) };
}

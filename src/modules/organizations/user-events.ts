import type { TObject } from "typebox";
import type { Context } from "../../platform/operation/index.ts";
import type { NewEvent } from "../../platform/events/types.ts";
import { eventOf } from "./caller.ts";
import { organizationsOf } from "./views.ts";

/** What happens to a person is in the log of each organization of theirs, and in that of whoever does it. */
export async function appendForUser<Data extends TObject>(context: Context, userId: string, event: NewEvent<Data>): Promise<void> {
  const theirs = (await organizationsOf(context.db, userId)).map(({ id }) => id);
  for (const orgId of new Set([context.orgId, ...theirs])) await context.events.append(eventOf(orgId, event));
}

import { grants, type Actor } from "../../platform/actor.ts";
import { fail } from "../../platform/errors.ts";
import type { EventType } from "../../platform/events/declare.ts";
import { isOfTypes } from "./domain/matching.ts";
import { EventNotAllowed, RuleInvalid } from "./errors.ts";

/**
 * The permissions that the events of these types ask for, all of which the actor holds: what a rule is kept with, so that
 * a type that is declared later under another permission is not sent. Errors: RuleInvalid, EventNotAllowed.
 */
export function maySee(actor: Actor, known: readonly EventType[], types: readonly string[]): string[] {
  const none = types.find((named) => !known.some(({ type }) => isOfTypes(type, [named])));
  if (none !== undefined) fail(RuleInvalid, `There are no events ${none}; docs/reference/events.md lists what there is.`);
  const asked = known.filter(({ type }) => isOfTypes(type, types));
  const hidden = asked.find(({ permission }) => !grants(actor.permissions, permission));
  if (hidden !== undefined) fail(EventNotAllowed, `Events ${hidden.type} need ${hidden.permission}, which your role does not hold; leave them out, or ask an administrator to do this.`, { permission: hidden.permission });
  return [...new Set(asked.map(({ permission }) => permission))].sort();
}

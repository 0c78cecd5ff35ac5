import type { TObject } from "typebox";
import { grants, type Actor } from "../../platform/actor.ts";
import { fail, Unauthenticated } from "../../platform/errors.ts";
import type { NewEvent } from "../../platform/events/types.ts";
import { PersonNeeded, RoleTooWide } from "./errors.ts";
import { permissionsOf, type Role } from "./roles.ts";

/** The person who acts; for an API key, who made it. */
export function userOf(actor: Actor): string {
  if (actor.userId === undefined) fail(Unauthenticated);
  return actor.userId;
}

/** The person who acts by themselves: what concerns sign-in is not a program's to do, whatever its scopes. */
export function personOf(actor: Actor): string {
  if (actor.kind !== "user") fail(PersonNeeded, `${actor.kind === "service" ? "A service account" : "An API key"} cannot do this; sign in with \`qinfra login\`.`);
  return userOf(actor);
}

/** Nobody gives a role that may do more than they may themselves: an API key never makes somebody wider than its scopes. */
export function mayGive(actor: Actor, role: Role): void {
  const missing = permissionsOf(role, actor.platform).find((permission) => !grants(actor.permissions, permission));
  if (missing !== undefined) fail(RoleTooWide, `The role ${role} holds ${missing}, which you do not; only somebody who holds it can give it.`);
}

/** An event of the log of that organization, where the caller works in another or in none. */
export function eventOf<Data extends TObject>(orgId: string, event: NewEvent<Data>): NewEvent<Data> {
  return { ...event, orgId };
}

import type { Actor } from "../actor.ts";
import type { PolicyActor } from "./types.ts";

const MEMBERS = 64;
const CHARACTERS = 256;

/** The actor as policies see it. */
export function policyActor(actor: Actor): PolicyActor {
  const id = actor.keyId ?? actor.userId;
  return {
    // To a policy there are people, and programs that act by what they were given.
    kind: actor.kind === "service" ? "api-key" : actor.kind,
    ...(id === undefined ? {} : { id }),
    ...(actor.keyId === undefined || actor.userId === undefined ? {} : { actsFor: actor.userId }),
    ai: actor.ai,
    secondFactor: actor.secondFactor,
    roles: actor.roles,
    permissions: actor.permissions,
    ...(actor.orgId === undefined ? {} : { orgId: actor.orgId }),
    platform: actor.platform,
  };
}

/**
 * The ids, names and options that an input or a plan names: its top-level booleans, numbers and strings of at most
 * 256 characters, at most 64 of them; none of what is not an object. A policy judges what is named, and an uploaded
 * document must not be copied into it.
 */
export function whatItNames(input: unknown): Record<string, string | number | boolean> {
  const named: Record<string, string | number | boolean> = {};
  if (typeof input !== "object" || input === null || Array.isArray(input)) return named;
  let members = 0;
  for (const [name, value] of Object.entries(input)) {
    if (members === MEMBERS) break;
    const scalar = typeof value === "boolean" || typeof value === "number" || (typeof value === "string" && value.length <= CHARACTERS);
    if (!scalar) continue;
    named[name] = value;
    members += 1;
  }
  return named;
}

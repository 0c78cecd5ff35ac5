import type { Actor } from "../actor.ts";
import type { PolicyActor, RequestInput } from "./types.ts";

const MEMBERS = 64;
const CHARACTERS = 256;

/** The actor as policies see it. */
export function policyActor(actor: Actor): PolicyActor {
  const id = actor.keyId ?? actor.userId;
  return {
    kind: actor.kind,
    ...(id === undefined ? {} : { id }),
    ...(actor.keyId === undefined || actor.userId === undefined ? {} : { actsFor: actor.userId }),
    ai: actor.ai,
    roles: actor.roles,
    permissions: actor.permissions,
    ...(actor.orgId === undefined ? {} : { orgId: actor.orgId }),
    platform: actor.platform,
  };
}

/**
 * The input as it is evaluated: without what no policy reads, because copying it costs more than deciding. Of the
 * permissions, those of the operation's own area stay (a quarter of a microsecond each).
 */
export function asEvaluated(input: RequestInput): RequestInput {
  const { permission } = input.operation;
  const area = permission.slice(0, permission.indexOf(":") + 1);
  const permissions = area === "" ? [] : input.actor.permissions.filter((granted) => granted.startsWith(area));
  return { ...input, actor: { ...input.actor, permissions }, input: whatItNames(input.input) };
}

/**
 * The ids, names and options that an input names: its top-level booleans, numbers and strings of at most 256
 * characters, at most 64 of them. A policy judges what is named, and an uploaded document must not be copied into it.
 */
export function whatItNames(input: Readonly<Record<string, unknown>>): Record<string, string | number | boolean> {
  const named: Record<string, string | number | boolean> = {};
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

import { fromTypeId, toTypeId } from "./ids.ts";

/**
 * Who acts. Identity comes from the credential, roles and permissions from the membership in the organization. `service` is
 * a program that an issuer speaks for: a member like others, and no person.
 */
export interface Actor {
  kind: "anonymous" | "user" | "service" | "api-key" | "system";
  /** UUIDs. An API key acts with its own id and names the person who made it as `userId`. */
  userId?: string;
  keyId?: string;
  sessionId?: string;
  /** What a person allowed the application that acts for them; it ends when they take it back, or their session ends. */
  grant?: string;
  /** The organization that the caller works in; absent for anonymous callers. */
  orgId?: string;
  /** True when `orgId` is the platform organization, whose members may be given `platform:*`. */
  platform: boolean;
  roles: readonly string[];
  /** Granted permissions such as `images:read`; `images:*` grants each of them. */
  permissions: readonly string[];
  /** An AI actor: every call through MCP and every API key marked `agent`, whatever person it acts for. */
  ai: boolean;
  /** Signed in with the one-time password, which can only set a new one, or sign out. */
  mustChangePassword: boolean;
  /** The session began with a second factor, or was confirmed by one since. */
  secondFactor: boolean;
  /** When the person last gave a second factor in this session, in milliseconds since 1970. */
  confirmedAt?: number;
  /** The organization is being deleted, and everything in it refused; when it goes, in milliseconds since 1970. */
  closesAt?: number;
}

export const anonymous: Actor = { kind: "anonymous", platform: false, roles: [], permissions: [], ai: false, mustChangePassword: false, secondFactor: false };

/** Whether the grants hold the permission, by its own name or by a wildcard of its area. */
export function grants(permissions: readonly string[], wanted: string): boolean {
  const area = wanted.slice(0, wanted.indexOf(":"));
  return permissions.some((granted) => granted === wanted || granted === `${area}:*`);
}

/** The id by which logs, events and limits name the actor. */
export function actorId(actor: Actor): string {
  return actor.keyId ?? actor.userId ?? actor.kind;
}

/** The TypeID by which events name the actor. */
export function actorTypeId(actor: Actor): string {
  if (actor.keyId !== undefined) return asTypeId("key", actor.keyId);
  if (actor.userId !== undefined) return asTypeId("usr", actor.userId);
  return actorId(actor);
}

function asTypeId(prefix: string, id: string): string {
  return fromTypeId(prefix, id) === undefined ? toTypeId(prefix, id) : id;
}

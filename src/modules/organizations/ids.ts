import { Type } from "typebox";
import { toTypeId, TypeId, uuidOf } from "../../platform/ids.ts";

export const OrganizationId = TypeId("org", "Organization");
export const OrganizationOrCurrent = Type.Union([Type.Literal("current"), OrganizationId], { description: "`current` is the organization that you work in" });
export const UserId = TypeId("usr", "User");
export const ApiKeyId = TypeId("key", "API key");
export const SessionId = TypeId("ses", "Session");
export const ApplicationId = TypeId("app", "Application: its client id");
export const InvitationId = TypeId("inv", "Invitation");

export function orgTypeId(uuid: string): string {
  return toTypeId("org", uuid);
}

export function userTypeId(uuid: string): string {
  return toTypeId("usr", uuid);
}

export function keyTypeId(uuid: string): string {
  return toTypeId("key", uuid);
}

export function sessionTypeId(uuid: string): string {
  return toTypeId("ses", uuid);
}

export function invitationTypeId(uuid: string): string {
  return toTypeId("inv", uuid);
}

export function applicationTypeId(uuid: string): string {
  return toTypeId("app", uuid);
}

export function orgUuid(id: string): string {
  return uuidOf("org", id);
}

/** The UUID of the one that is meant by an `OrganizationOrCurrent`. */
export function orgMeant(id: string, current: string): string {
  return id === "current" ? current : orgUuid(id);
}

export function userUuid(id: string): string {
  return uuidOf("usr", id);
}

export function keyUuid(id: string): string {
  return uuidOf("key", id);
}

export function sessionUuid(id: string): string {
  return uuidOf("ses", id);
}

export function invitationUuid(id: string): string {
  return uuidOf("inv", id);
}

import { grants, type Actor } from "../actor.ts";
import { ConfirmationNeeded, fail, PasswordChangeRequired, PermissionMissing } from "../errors.ts";
import { refuseClosed } from "./closed.ts";
import { confirmationMs, isConfirmed } from "./confirmation.ts";
import type { Operation } from "./operation.ts";

/** Whether the actor may run the operation at all, before anything is read for it. Each refusal says what is missing. */
export function permit(operation: Operation, actor: Actor, now: number): void {
  if (operation.permission === "public") return;
  refuseClosed(actor.closesAt);
  if (actor.mustChangePassword && operation.afterOneTimePassword !== true) {
    fail(PasswordChangeRequired, "After a one-time password you can only set a new one, or sign out: run `qinfra login` and choose a password.");
  }
  if (operation.permission !== "self") permitRole(operation, actor);
  if (operation.confirm !== undefined) confirmed(operation, actor, now);
}

function confirmed(operation: Operation, actor: Actor, now: number): void {
  if (isConfirmed(actor, now)) return;
  const how = actor.kind === "user" ? "run `qinfra confirm`, or confirm it on your account page, then repeat it" : "only a person can do that; sign in with `qinfra login`";
  fail(ConfirmationNeeded, `${operation.id} asks for a second factor given in the last ${confirmationMs / 60_000} minutes: ${how}.`);
}

function permitRole(operation: Operation, actor: Actor): void {
  if (operation.permission.startsWith("platform:") && !actor.platform) {
    fail(PermissionMissing, `${operation.id} needs ${operation.permission}, which only members of the platform organization can have.`, { permission: operation.permission });
  }
  if (!grants(actor.permissions, operation.permission)) {
    fail(PermissionMissing, `${operation.id} needs the permission ${operation.permission}; ${what(actor)}. Ask an administrator of the organization.`, { permission: operation.permission });
  }
}

function what({ kind, keyId, roles, permissions }: Actor): string {
  if (kind === "api-key") return `this ${keyId === undefined ? "application" : "API key"} has ${permissions.length === 0 ? "none" : permissions.join(", ")}`;
  return `you have ${roles.length === 0 ? "no role" : `role ${roles.join(", ")}`}`;
}

import { expect, it } from "vitest";
import { anonymous, type Actor } from "../../platform/actor.ts";
import { keyTypeId } from "./ids.ts";
import { effectOf, explain } from "./explain.ts";
import { permissionsOf, type Role } from "./roles.ts";

const keyId = "01a1fdfa-4600-7000-8000-000000000001";
const key = keyTypeId(keyId);

function caller(role: Role, more: Partial<Actor> = {}): Actor {
  return { ...anonymous, kind: "user", roles: [role], permissions: permissionsOf(role, more.platform === true), ...more };
}

it.each<[string, Role, Partial<Actor>, string, string[], boolean, string[]]>([
  ["its role", "operator", {}, "images:build", [], true, ["role operator in Acme holds images:build"]],
  ["a wildcard of its role", "admin", {}, "images:build", [], true, ["role admin in Acme holds images:*"]],
  ["another role", "viewer", {}, "images:build", ["permission-missing"], false, ["role viewer in Acme does not hold it; admin, operator do"]],
  ["no role", "admin", {}, "moon:land", ["permission-missing"], false, ["role admin in Acme does not hold it; no role does"]],
  ["the platform organization", "admin", { platform: true }, "platform:feeds", [], true, ["role admin in Acme holds platform:*"]],
  ["another organization than that", "admin", {}, "platform:feeds", ["permission-missing", "platform-only"], false, ["only the platform organization has platform:* permissions, and Acme is another one"]],
  ["a key's scope", "admin", { kind: "api-key", keyId, permissions: ["images:build"] }, "images:build", [], true, ["role admin in Acme holds images:*", `${key} has the scope images:build`]],
  ["a key's scopes, which leave it out", "admin", { kind: "api-key", keyId, permissions: ["images:read"] }, "images:build", ["permission-missing"], false, ["role admin in Acme holds images:*", `the scopes of ${key} leave it out`]],
  ["what an application was let do", "admin", { kind: "api-key", permissions: ["images:read"] }, "images:build", ["permission-missing"], false, ["role admin in Acme holds images:*", "the scopes of this application leave it out"]],
  ["a policy", "operator", {}, "images:build", ["organization-read-only"], false, ["role operator in Acme holds images:build", "the organization is read-only: nothing is changed in it"]],
  ["the policy on second factors", "admin", {}, "images:build", ["second-factor-required"], false, ["role admin in Acme holds images:*", "the organization wants a second factor of this role, and this sign-in has none"]],
  ["a policy that has no words here", "admin", {}, "images:build", ["own-rule"], false, ["role admin in Acme holds images:*", "a policy refuses it (own-rule)"]],
])("given %s decides, then it is said", (_what, role, more, permission, reasons, allowed, because) => {
  expect(explain(caller(role, more), { role, organization: "Acme" }, permission, reasons)).toEqual({ permission, allowed, because });
});

it.each([["images:read", "read"], ["images:build", "change"], ["images:*", "change"]])("%s is judged as a %s", (permission, effect) => {
  expect(effectOf(permission)).toBe(effect);
});

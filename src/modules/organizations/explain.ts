import { grants, type Actor } from "../../platform/actor.ts";
import { keyTypeId } from "./ids.ts";
import { permissionsOf, roleTable, type Role } from "./roles.ts";

export interface Explanation {
  permission: string;
  allowed: boolean;
  because: string[];
}

/** What reads is named so; whatever else a permission allows may change something. */
export function effectOf(permission: string): "read" | "change" {
  return permission.endsWith(":read") ? "read" : "change";
}

/**
 * Whether the caller may do what needs the permission, and every reason for the answer, in words: the role, the scopes
 * of an API key, and the policies, of which `reasons` are those that would refuse it.
 */
export function explain(actor: Actor, standing: { role: Role; organization: string }, permission: string, reasons: readonly string[]): Explanation {
  const { role, organization } = standing;
  const holder = permissionsOf(role, actor.platform).find((held) => grants([held], permission));
  const because = [holder === undefined ? withoutIt(actor, standing, permission) : `role ${role} in ${organization} holds ${holder}`];
  if (actor.kind === "api-key" && holder !== undefined) {
    const key = actor.keyId === undefined ? "this application" : keyTypeId(actor.keyId);
    const scope = actor.permissions.find((held) => grants([held], permission));
    because.push(scope === undefined ? `the scopes of ${key} leave it out` : `${key} has the scope ${scope}`);
  }
  for (const reason of reasons) if (!explainedAbove.has(reason)) because.push(words[reason] ?? `a policy refuses it (${reason})`);
  return { permission, allowed: grants(actor.permissions, permission) && reasons.length === 0, because };
}

function withoutIt(actor: Actor, { role, organization }: { role: Role; organization: string }, permission: string): string {
  if (permission.startsWith("platform:") && !actor.platform) return `only the platform organization has ${permission.slice(0, permission.indexOf(":"))}:* permissions, and ${organization} is another one`;
  const holders = roleTable([permission]).flatMap((row) => row.roles);
  const who = holders.length === 0 ? "no role does" : `${holders.join(", ")} ${holders.length === 1 ? "does" : "do"}`;
  return `role ${role} in ${organization} does not hold it; ${who}`;
}

/** Reasons of the policy that the role and the scopes have explained. */
const explainedAbove: ReadonlySet<string> = new Set(["permission-missing", "platform-only"]);

/** The reasons of policies/request.rego, for a person. */
const words: Readonly<Record<string, string>> = {
  "organization-read-only": "the organization is read-only: nothing is changed in it",
  "ai-platform-permission": "an AI actor never uses platform permissions",
  "ai-identity-permission": "an AI actor never changes organizations, members or keys",
  "second-factor-required": "the organization wants a second factor of this role, and this sign-in has none",
};

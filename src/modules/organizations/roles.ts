import { grants } from "../../platform/actor.ts";

export const roles = ["admin", "operator", "viewer", "auditor"] as const;
export type Role = (typeof roles)[number];

/**
 * What each role may do. `images`, `drift`, `compliance` and `patches` are the reference's RBAC model word for word;
 * approving and executing AI tasks, triggering drills and viewing audit logs are its finer permissions.
 */
export const rolePermissions: Record<Role, readonly string[]> = {
  admin: [
    "images:*", "drift:*", "compliance:*", "patches:*",
    "ai:*", "drills:*", "audit:*", "events:*",
    "assets:*", "scans:*", "software:*", "vulnerabilities:*",
    "organizations:*", "members:*", "api-keys:*", "workflows:*", "notifications:*", "analytics:*", "approvals:*",
  ],
  operator: [
    "images:read", "images:build", "drift:read", "drift:remediate", "patches:apply",
    "ai:execute", "drills:trigger",
    "assets:read", "assets:write", "scans:run", "software:read", "vulnerabilities:read",
    "organizations:read", "members:read", "api-keys:read", "api-keys:write", "workflows:read", "workflows:write", "notifications:read", "notifications:write", "analytics:read", "approvals:read", "approvals:write", "approvals:decide",
  ],
  viewer: [
    "images:read", "drift:read", "compliance:read", "patches:read",
    "assets:read", "scans:run", "software:read", "vulnerabilities:read",
    "organizations:read", "members:read", "workflows:read", "notifications:read", "analytics:read", "approvals:read",
  ],
  auditor: [
    "compliance:*", "images:read", "drift:read",
    "audit:read",
    "assets:read", "software:read", "vulnerabilities:read",
    "organizations:read", "members:read", "api-keys:read", "workflows:read", "notifications:read", "analytics:read", "approvals:read",
  ],
};

/** What an administrator of the platform organization may do besides; nobody else ever can. */
export const platformPermissions: readonly string[] = ["platform:*"];

/** The grants of a membership. */
export function permissionsOf(role: Role, platform: boolean): readonly string[] {
  return platform && role === "admin" ? adminOfPlatform : rolePermissions[role];
}
const adminOfPlatform = [...rolePermissions.admin, ...platformPermissions];

/** What both lists grant; either may hold wildcards. */
export function intersect(scopes: readonly string[], permissions: readonly string[]): string[] {
  const both = [
    ...scopes.filter((scope) => grants(permissions, scope)),
    ...permissions.filter((permission) => grants(scopes, permission)),
  ];
  return [...new Set(both)];
}

export interface RoleRow {
  permission: string;
  roles: readonly Role[];
  /** Only in the platform organization. */
  platformOnly: boolean;
}

/** The role x permission table for the given permissions (those of all operations, in the docs). */
export function roleTable(permissions: readonly string[]): RoleRow[] {
  return [...new Set(permissions)].sort().map((permission) => {
    const platformOnly = permission.startsWith("platform:");
    return { permission, platformOnly, roles: roles.filter((role) => grants(permissionsOf(role, platformOnly), permission)) };
  });
}

/** Every permission that a role names, wildcards included: the rows of the table where no operation is known. */
export function namedPermissions(): string[] {
  return [...new Set([...roles.flatMap((role) => rolePermissions[role]), ...platformPermissions])].sort();
}

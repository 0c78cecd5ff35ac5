import { describe, expect, it } from "vitest";
import { grants } from "../../platform/actor.ts";
import { intersect, namedPermissions, permissionsOf, rolePermissions, roles, roleTable } from "./roles.ts";

/** The reference's "RBAC Model", row by row. */
const reference = {
  admin: ["images:*", "drift:*", "compliance:*", "patches:*"],
  operator: ["images:read", "images:build", "drift:read", "drift:remediate", "patches:apply"],
  viewer: ["images:read", "drift:read", "compliance:read", "patches:read"],
  auditor: ["compliance:*", "images:read", "drift:read"],
};

describe("roles", () => {
  it.each(roles)("given %s, then it holds in the reference's areas exactly what the reference says", (role) => {
    const areas = /^(images|drift|compliance|patches):/;
    expect(rolePermissions[role].filter((permission) => areas.test(permission))).toEqual(reference[role]);
  });

  it.each([
    ["ai:approve", ["admin"]],
    ["ai:execute", ["admin", "operator"]],
    ["drills:trigger", ["admin", "operator"]],
    ["audit:read", ["admin", "auditor"]],
    ["members:write", ["admin"]],
    ["api-keys:write", ["admin", "operator"]],
    ["organizations:manage", ["admin"]],
    ["scans:run", ["admin", "operator", "viewer"]],
    ["platform:feeds", ["admin"]],
    ["nothing:such", []],
  ])("given %s, then the table names who holds it", (permission, expected) => {
    expect(roleTable([permission])).toEqual([{ permission, roles: expected, platformOnly: permission.startsWith("platform:") }]);
  });

  it("given any organization but the platform's, then no role holds platform:*", () => {
    expect(roles.filter((role) => grants(permissionsOf(role, false), "platform:feeds"))).toEqual([]);
    expect(roles.filter((role) => grants(permissionsOf(role, true), "platform:feeds"))).toEqual(["admin"]);
  });

  it("given the named permissions, then they are sorted and each is somebody's", () => {
    expect(namedPermissions()).toEqual([...namedPermissions()].sort());
    expect(roleTable(namedPermissions()).filter((row) => row.roles.length === 0)).toEqual([]);
  });
});

it.each([
  [["images:read"], ["images:*"], ["images:read"]],
  [["images:*"], ["images:read", "images:build", "drift:read"], ["images:read", "images:build"]],
  [["images:*"], ["images:*"], ["images:*"]],
  [["images:read", "drift:read"], ["drift:read"], ["drift:read"]],
  [["images:read"], ["imagesx:*"], []],
  [["platform:feeds"], ["images:*"], []],
])("given scopes %j and permissions %j, then both grant %j", (scopes, permissions, both) => {
  expect(intersect(scopes, permissions)).toEqual(both);
});

import { describe, expect, it } from "vitest";
import { faultsAgainst } from "../../platform/operation/validate.ts";
import { organizations } from "./index.ts";
import { roleTable } from "./roles.ts";

describe("the module's operations", () => {
  it.each(organizations.operations.map((operation) => [operation.id, operation] as const))("given %s, then its examples are valid and somebody may run it", (_id, operation) => {
    expect(operation.examples.length).toBeGreaterThan(0);
    for (const example of operation.examples) expect(faultsAgainst(operation.input, example.input)).toEqual([]);
    const open = operation.permission === "public" || operation.permission === "self";
    expect(open ? operation.reason : roleTable([operation.permission])[0]?.roles).toEqual(open ? expect.stringMatching(/^\w/) : expect.arrayContaining(["admin"]));
  });

  it("given what answers or takes a secret, then it is no tool of an agent", () => {
    const secrets = /password$|^token$|^key$/i;
    const fields = (schema: unknown) => Object.keys((schema as { properties?: object }).properties ?? {});
    const withSecrets = organizations.operations.filter((operation) => [...fields(operation.input), ...fields(operation.output)].some((field) => secrets.test(field)));
    expect(withSecrets.map((operation) => operation.id).sort()).toEqual(["api-keys.create", "invitations.accept", "invitations.look-up", "invitations.sign-up", "members.add", "password-resets.look-up", "password-resets.use", "second-factors.add-totp", "second-factors.begin-passkey", "sessions.create", "sessions.exchange", "users.set-password"]);
    expect(withSecrets.filter((operation) => operation.without?.mcp === undefined)).toEqual([]);
  });
});

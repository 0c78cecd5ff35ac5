import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { organizationOf, type TestCall, type TestPlatform } from "../../src/app/testing.ts";
import { allowedCaller, arranged, callerOf, endsItsOrganization, fitting, idKindsOf, makerOf, makers, manifestPlatform, operations, plain, problemCode, withRealIds, type Example } from "./world.ts";
import type { Operation } from "../../src/platform/operation/index.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await manifestPlatform();
});
afterAll(() => platform.close());

/**
 * Nobody is signed in at an operation for everybody, so that no id is foreign to the caller; and what is the platform's is
 * refused to tenants by its permission, whatever it names.
 */
const idFields = operations.filter(({ permission }) => permission !== "public" && !permission.startsWith("platform:")).flatMap((operation) =>
  Object.entries(operation.input.properties).flatMap(([field, schema]) => idKindsOf(schema).map((kind) => ({ name: `${operation.id} /${field} ${kind}_`, operation, field, schema, kind }))));

describe("ids of another organization", () => {
  it("are of kinds that can all be made here", () => {
    expect(idFields.filter(({ kind }) => makers[kind] === undefined).map(({ name }) => `${name}: add a maker to test/manifest/world.ts`)).toEqual([]);
    expect(idFields.length).toBeGreaterThan(10);
  });

  it.each(idFields)("$name of what is there is 404, and for its owner it is not", async ({ operation, field, schema, kind }) => {
    const example = operation.examples.find(({ input }) => field in input);
    if (example === undefined) throw new Error(`no example of ${operation.id} has the field ${field}; add one`);
    const owner = allowedCaller(operation);
    const id = await makerOf(operation, field, kind)?.(platform, owner);
    const value = (schema as { type?: string }).type === "array" ? [id] : id;
    const input = await fitting(platform, operation, { ...await withRealIds(platform, operation, example, owner), [field]: value }, owner);

    const body = await bodyOf(operation, example);
    const authorization = await platform.newSession(platform.person("other-tenant-admin"), { secondFactor: true });
    const foreign = await platform.call(operation.id, { authorization, input, ...body });
    expect({ status: foreign.status, text: foreign.status === 404 ? "" : foreign.text }).toEqual({ status: 404, text: "" });
    expect(problemCode(foreign)).toMatch(/not-found$/);

    const call = endsItsOrganization.has(operation.id) ? await arranged(platform, operation, example) : { ...await callerOf(platform, operation), input, ...body };
    const own = await platform.call(operation.id, call);
    expect({ status: own.status, text: own.status < 300 ? "" : own.text }).toEqual({ status: own.status, text: "" });
  });
});

/** The body of a call that succeeds, of an operation that takes one. */
async function bodyOf(operation: Operation, example: Example): Promise<Pick<TestCall, "body" | "headers">> {
  if (operation.body === undefined) return {};
  const { body = "", headers = {} } = await arranged(platform, operation, example);
  return { body, headers };
}

describe("a credential", () => {
  const signedIn = operations.filter(({ permission }) => permission !== "public");

  it.each(signedIn)("does not work in an organization of which its person is no member: $id", async (operation) => {
    const call = plain(operation);
    const headers = { ...call.headers, "qinfra-organization": organizationOf(platform.person("admin")) };
    const answer = await platform.call(operation.id, { ...call, as: "other-tenant-admin", headers });
    expect([answer.status, problemCode(answer)]).toEqual([401, "unauthenticated"]);
  });
});

describe("lists", () => {
  const lists = operations.filter(({ input, permission }) => "cursor" in input.properties && permission !== "public" && !permission.startsWith("platform:") && idKindsOf(input).length === 0);

  it.each(lists)("of $id hold nothing of another organization", async (operation) => {
    await Promise.all(Object.values(makers).map((make) => make(platform, "admin")));
    const own = await platform.call(operation.id, { as: "admin", input: { limit: 1000 } });
    const foreign = await platform.call(operation.id, { as: "other-tenant-admin", input: { limit: 1000 } });
    expect([own.status, foreign.status]).toEqual([200, 200]);
    const idsIn = (text: string): string[] => [...text.matchAll(/\b[a-z]{2,5}_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g)].map(([id]) => id);
    const foreignIds = new Set(idsIn(foreign.text));
    expect(idsIn(own.text).filter((id) => foreignIds.has(id))).toEqual([]);
  });
});

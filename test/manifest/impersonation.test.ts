import { describe, expect, it } from "vitest";
import { Type } from "typebox";
import { modules } from "../../src/app/modules.ts";
import { operation, type Operation } from "../../src/platform/operation/index.ts";
import { createRegistry } from "../../src/platform/operation/registry.ts";

const { operations } = createRegistry(modules);

/** Names by which a caller could be somebody else. */
const actsAs = /^(act(ing)?_?(as|for)|actor(_?id)?|as(_?user)?|on_?behalf(_?of)?|impersonat\w*|run_?as|sudo|assume\w*|switch_?user|effective_?user|subject|principal|caller|identity|login_?as)$/i;

/** Fields of such a name, or that hold a person's or account's id. Each names whom the operation is about, never who does it. A new one is added by hand. */
const aboutSomebody: Readonly<Record<string, string>> = {
  "members.set-role /user": "the member whose role is set",
  "members.remove /user": "the member who is removed",
  "organizations.transfer /user": "the member who becomes administrator",
  "api-keys.create /serviceAccount": "an account of kind service, with whose role the key acts; a person's id is refused",
  "service-accounts.disable /id": "the account that is disabled",
  "users.reset-password /user": "who gets a new password by a link: it is an event, ends their sessions, and leaves a second factor as it was",
  "users.reset-second-factors /user": "who may enrol anew: it is an event, ends their sessions, and leaves the password as it was",
  "users.disable /user": "the person who is disabled",
  "users.enable /user": "the person who is enabled again",
  "users.erase /user": "the person who is erased",
  "approvals.delegate /to": "the member who may decide for the caller, as themselves; what they decide names both",
  "events.watch /subject": "a filter: what the events are about",
  "audit.list /actor": "a filter: whose events are listed", "audit.list /subject": "a filter: what the events are about",
  "audit.export /actor": "a filter", "audit.export /subject": "a filter",
};

/** Operations that answer a session, each for whoever has just proved who they are. A new one is added by hand. */
const beginsSession: Readonly<Record<string, string>> = {
  "sessions.create": "name and password",
  "sessions.exchange": "an ID token that its issuer signed for this person",
};

interface Schema {
  pattern?: string;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
}

/** Each field of the input, however deep, with its name and path. */
function fieldsOf(schema: Schema, path = ""): { name: string; path: string; schema: Schema }[] {
  return [
    ...(schema.anyOf ?? []).flatMap((one) => fieldsOf(one, path)),
    ...(schema.items === undefined ? [] : fieldsOf(schema.items, `${path}/*`)),
    ...Object.entries({ ...schema.properties, ...schema.patternProperties }).flatMap(([name, one]) => [{ name, path: `${path}/${name}`, schema: one }, ...fieldsOf(one, `${path}/${name}`)]),
  ];
}

function holdsPerson({ pattern, anyOf, items }: Schema): boolean {
  return pattern?.startsWith("^usr_") === true || (anyOf ?? []).some(holdsPerson) || (items !== undefined && holdsPerson(items));
}

/** What of the operation would let a caller act as somebody else. */
function impersonations(one: Operation): string[] {
  const fields = fieldsOf(one.input as Schema);
  const unsaid = fields.filter(({ path }) => !(`${one.id} ${path}` in aboutSomebody));
  const chosen = unsaid.filter(({ name }) => actsAs.test(name)).map(({ path }) => `${one.id} ${path}: chooses who acts`);
  const persons = unsaid.filter(({ schema }) => holdsPerson(schema)).map(({ path }) => `${one.id} ${path}: a person whose part is not said`);
  const output = fieldsOf(one.output as Schema).map(({ name }) => name);
  const session = output.includes("session") && output.some((name) => /token$/i.test(name));
  const proven = one.id in beginsSession && one.permission === "public" && !fields.some(({ schema }) => holdsPerson(schema));
  return [...chosen, ...persons, ...(session && !proven ? [`${one.id}: answers a session, and is no public sign-in of whoever proves it`] : [])];
}

describe("nobody acts as somebody else", () => {
  it.each(operations)("by $id", (one) => {
    expect(impersonations(one)).toEqual([]);
  });

  it("and what is listed is there", () => {
    const paths = new Set(operations.flatMap((one) => fieldsOf(one.input as Schema).filter(({ name, schema }) => holdsPerson(schema) || actsAs.test(name)).map(({ path }) => `${one.id} ${path}`)));
    expect(Object.keys(aboutSomebody).filter((path) => !paths.has(path))).toEqual([]);
    expect(Object.keys(beginsSession).filter((id) => !operations.some((one) => one.id === id))).toEqual([]);
  });
});

describe("the check finds", () => {
  const person = Type.String({ pattern: "^usr_[0-7][0-9a-hjkmnp-tv-z]{25}$" });
  const session = Type.Object({ token: Type.String(), session: Type.String() });
  const mutant = (change: Partial<Parameters<typeof operation>[0]>): Operation => operation({
    id: "mutants.run", http: "POST /api/v1/mutants", summary: "A mutant", permission: "images:read", effect: "change", input: Type.Object({}), output: Type.Object({}), examples: [], handle: async () => ({}), ...change,
  } as Parameters<typeof operation>[0]);

  it.each<[string, Operation, string]>([
    ["a field that chooses the actor", mutant({ input: Type.Object({ actAs: Type.String() }) }), "mutants.run /actAs: chooses who acts"],
    ["one deep inside", mutant({ input: Type.Object({ options: Type.Array(Type.Object({ on_behalf_of: Type.String() })) }) }), "mutants.run /options/*/on_behalf_of: chooses who acts"],
    ["a person's id under an innocent name", mutant({ input: Type.Object({ owner: Type.Union([Type.Literal("me"), person]) }) }), "mutants.run /owner: a person whose part is not said"],
    ["a session for somebody who is named", mutant({ id: "sessions.create", permission: "public", input: Type.Object({ user: person }), output: session }), "sessions.create: answers a session, and is no public sign-in of whoever proves it"],
    ["a session that an administrator makes", mutant({ id: "sessions.create", permission: "members:write", output: session }), "sessions.create: answers a session, and is no public sign-in of whoever proves it"],
    ["a sign-in that is not listed", mutant({ permission: "public", output: session }), "mutants.run: answers a session, and is no public sign-in of whoever proves it"],
  ])("%s", (_what, one, fault) => {
    expect(impersonations(one)).toContain(fault);
  });

  it("nothing in an operation without such a field", () => {
    expect(impersonations(mutant({ input: Type.Object({ name: Type.String() }) }))).toEqual([]);
  });
});

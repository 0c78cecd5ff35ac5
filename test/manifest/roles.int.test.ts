import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Caller, TestPlatform } from "../../src/app/testing.ts";
import { arranged, manifestPlatform, operations, plain, problemCode } from "./world.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await manifestPlatform();
});
afterAll(() => platform.close());

/** The table of docs/reference/roles.md: operation -> column -> may. What the docs say is what is tried here. */
const documented = new Map(tableRows(readFileSync(resolve(import.meta.dirname, "../../docs/reference/roles.md"), "utf8")).map(([id = "", _permission, ...cells]) => [id.replaceAll("`", ""), cells]));

function tableRows(markdown: string): string[][] {
  return markdown.split("\n").filter((line) => line.startsWith("| `")).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

const columns: readonly Caller[] = ["platform-admin", "admin", "operator", "viewer", "auditor"];
const signedIn = operations.filter(({ permission }) => permission !== "public");
const guarded = signedIn.filter(({ permission }) => permission !== "self");

it("the documented table has a row for each operation, and no other", () => {
  expect([...documented.keys()].sort()).toEqual(operations.map(({ id }) => id).sort());
});

describe("anonymous callers", () => {
  it.each(signedIn)("are refused by $id", async (operation) => {
    const answer = await platform.call(operation.id, plain(operation));
    expect([answer.status, problemCode(answer)]).toEqual([401, "unauthenticated"]);
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="qinfra"');
  });

  it.each(signedIn)("are refused by $id with a credential that nobody has", async (operation) => {
    for (const authorization of ["Bearer qik_0000000000", `Bearer qis_${"0".repeat(52)}`, "Basic YWRtaW46YWRtaW4=", "Bearer a.b.c"]) {
      const answer = await platform.call(operation.id, { ...plain(operation), authorization });
      expect([authorization, answer.status, problemCode(answer)]).toEqual([authorization, 401, "unauthenticated"]);
    }
  });

  it.each(operations.filter(({ permission }) => permission === "public"))("reach $id, which is for everybody", async (operation) => {
    const answer = await platform.call(operation.id, { ...await arranged(platform, operation, operation.examples[0] ?? { input: {} }), as: "anonymous" });
    expect(answer.status).toBeLessThan(300);
  });
});

describe("each role may do what the documented table says, and nothing else", () => {
  const cases = signedIn.flatMap((operation) => columns.map((caller, i) => ({ operation, caller, may: documented.get(operation.id)?.[i] === "yes" })));

  it.each(cases)("$operation.id by $caller: $may", async ({ operation, caller, may }) => {
    // A session of its own, because some operations end it.
    const authorization = await platform.newSession(platform.person(caller as "admin"));
    const answer = await platform.call(operation.id, { ...plain(operation), authorization });
    const refused = answer.status === 403 && problemCode(answer) === "permission-missing";
    expect({ refused, text: refused === may ? answer.text : "" }).toEqual({ refused: !may, text: "" });
    expect([401, 500]).not.toContain(answer.status);
  });
});

describe("an AI actor", () => {
  it.each(operations.filter(({ effect }) => effect === "destructive"))("destroys nothing by itself: $id", async (operation) => {
    const call = await arranged(platform, operation, operation.examples[0] ?? { input: {} });
    const { authorization: _, ...same } = call;
    const answer = await platform.call(operation.id, { ...same, as: "agent-key" });
    expect([202, 403]).toContain(answer.status);
    // Most wait for people. Some need an approval or a second factor, some no policy ever allows, and some are the platform organization's.
    if (answer.status === 403) expect(["approval-unavailable", "confirmation-needed", "policy-denied", "permission-missing"]).toContain(problemCode(answer));
    const byPerson = await platform.call(operation.id, call);
    expect(byPerson.status).toBe(200); // it was still there
  });
});

describe("a session of a one-time password", () => {
  const open = signedIn.filter(({ afterOneTimePassword }) => afterOneTimePassword === true).map(({ id }) => id);

  it("sets a new one, or signs out", () => {
    expect(open.toSorted()).toEqual(["sessions.delete", "users.set-password"]);
  });

  it.each(signedIn.filter(({ id }) => !open.includes(id)))("can do nothing else: $id", async (operation) => {
    const authorization = await platform.newSession(platform.person("admin"), { mustChange: true });
    const answer = await platform.call(operation.id, { ...plain(operation), authorization });
    expect([answer.status, problemCode(answer)]).toEqual([403, "password-change-required"]);
  });
});

describe("an API key", () => {
  it.each(guarded)("does not do what its scopes do not hold: $id", async (operation) => {
    const scopes = operation.permission === "images:read" ? ["assets:read"] : ["images:read"];
    const made = await platform.call("api-keys.create", { as: "admin", input: { name: "narrow", scopes } });
    const authorization = `Bearer ${(made.body as { key: string }).key}`;
    const answer = await platform.call(operation.id, { ...plain(operation), authorization });
    expect([answer.status, problemCode(answer)]).toEqual([403, "permission-missing"]);
  });
});

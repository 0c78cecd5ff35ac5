import { Type } from "typebox";
import { describe, expect, test } from "vitest";
import { errorType } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { createRegistry } from "../../../platform/operation/registry.ts";
import { curlCommand } from "./curl.ts";
import { render } from "./html.ts";
import { referenceBody, rolesBody } from "./reference.ts";

const Taken = errorType("name-taken", 409, "Another <thing> has this name");
const update = operation({
  id: "things.update", http: "PATCH /api/v1/things/{id}", summary: "Change a <thing>", description: "As `qinfra things update` does.",
  permission: "things:write", effect: "change", without: { mcp: "of no use there" },
  input: Type.Object({ id: Type.String(), name: Type.String({ maxLength: 9, description: "Its <name>" }), tags: Type.Optional(Type.Array(Type.String())) }),
  output: Type.Object({ id: Type.String({ description: "The id" }) }), errors: [Taken],
  examples: [{ input: { id: "a/b", name: "it's" }, summary: "With a quote" }], handle: async () => ({ id: "" }),
});
const list = operation({
  id: "things.list", http: "GET /api/v1/things", summary: "List things", permission: "public", reason: "they are for everybody", effect: "read",
  input: Type.Object({ tag: Type.Optional(Type.Array(Type.String())), limit: Type.Optional(Type.Integer()) }), output: Type.Object({}),
  examples: [{ input: { tag: ["a", "b c"], limit: 5 } }], handle: async () => ({}),
});
const upload = operation({
  id: "other.import", http: "POST /api/v1/other/{name}", summary: "Import", permission: "other:write", effect: "change",
  input: Type.Object({ name: Type.String() }), output: Type.Object({}), body: { contentTypes: ["application/x-ndjson", "application/gzip"], description: "One record a line" },
  examples: [{ input: { name: "x" } }], handle: async () => ({}),
});
const inside = operation({
  id: "other.inside", http: "POST /api/v1/inside", summary: "Only a command", permission: "other:write", effect: "pure", without: { http: "it is local" },
  input: Type.Object({}), output: Type.Object({}), examples: [{ input: {} }], handle: async () => ({}),
});
const registry = createRegistry([{ name: "things", operations: [update, list, upload, inside] }]);

describe("an example as curl", () => {
  test.each([
    ["a body and a path", update, { id: "a/b", name: "it's" }, `curl -X PATCH "$QINFRA_URL/api/v1/things/a%2Fb" \\
  -H "Authorization: Bearer $QINFRA_API_KEY" \\
  -H 'Content-Type: application/json' \\
  -d '{"name":"it'\\''s"}'`],
    ["a query, of a public operation", list, { tag: ["a", "b c"], limit: 5 }, 'curl "$QINFRA_URL/api/v1/things?tag=a&tag=b+c&limit=5"'],
    ["a streamed body", upload, { name: "x" }, `curl -X POST "$QINFRA_URL/api/v1/other/x" \\
  -H "Authorization: Bearer $QINFRA_API_KEY" \\
  -H 'Content-Type: application/x-ndjson' \\
  --data-binary @FILE`],
  ])("with %s", (_name, called, input, expected) => {
    expect(curlCommand(called, input)).toBe(expected);
  });
});

describe("the reference", () => {
  const text = render(referenceBody({ registry, commandLine: (id) => (id === "things.update" ? "qinfra things update a/b" : undefined) }));

  test("has each operation of the HTTP door once, linked from its contents", () => {
    for (const id of ["things.update", "things.list", "other.import"]) {
      expect(text.split(`<h3 id="${id}">`).length - 1).toBe(1);
      expect(text).toContain(`href="#${id}"`);
    }
    expect(text).not.toContain("other.inside");
  });

  test("says what an operation takes, asks for, refuses and shows", () => {
    for (const part of [
      "Change a &lt;thing&gt;", "As <code>qinfra things update</code> does.", "things:write", "Not by MCP: of no use there.", "Its &lt;name&gt;", "at most 9 characters",
      "name-taken", "Another &lt;thing&gt; has this name", "With a quote", "qinfra things update a/b", "Public, because they are for everybody.", "One record a line", "list of string",
    ]) expect(text).toContain(part);
  });

  test("gives every id once", () => {
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.length).toBe(new Set(ids).size);
  });
});

test("the roles are a table of words, not of colours alone", () => {
  const text = render(rolesBody({ roles: ["admin", "viewer"], roleTable: [{ permission: "things:write", roles: ["admin"], platformOnly: false }, { permission: "platform:feeds", roles: ["admin"], platformOnly: true }] }));
  expect(text.match(/>yes</g)).toHaveLength(2);
  expect(text.match(/>no</g)).toHaveLength(2);
  expect(text).toContain("platform organization only");
});

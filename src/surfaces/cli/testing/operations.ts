import { Type } from "typebox";
import { EventOutcome, operation, Page, paging, type Operation } from "../../../platform/operation/index.ts";
import { errorType } from "../../../platform/errors.ts";
import { createRegistry } from "../../../platform/operation/registry.ts";
import { toManifest, type OperationManifest } from "../manifest.ts";

const Thing = Type.Object({ id: Type.String(), name: Type.String(), fixedVersion: Type.Union([Type.String(), Type.Null()]), tags: Type.Record(Type.String(), Type.String()) });
const NameTaken = errorType("name-taken", 409, "The name is taken");

async function notHere(): Promise<never> {
  throw new Error("the CLI calls the server; it never runs a handler");
}

/** One operation of every shape that options, output and transport tell apart. */
const operations: Operation[] = [
  operation({
    id: "things.list", http: "GET /api/v1/things", cli: { name: "things list", columns: ["id", "name", "fixedVersion"] }, summary: "List things",
    permission: "things:read", effect: "read", output: Page(Thing), examples: [{ input: {} }, { input: { kind: "large", tag: ["a", "b"], limit: 5 }, summary: "Large ones" }], handle: notHere,
    input: Type.Object({ kind: Type.Optional(Type.Enum(["small", "large"], { description: "Size" })), tag: Type.Optional(Type.Array(Type.String())), ...paging }),
  }),
  operation({
    id: "things.get", http: "GET /api/v1/things/{id}", cli: { name: "things get", positional: ["id"] }, summary: "One thing",
    permission: "things:read", effect: "read", output: Thing, examples: [{ input: { id: "thg_1" } }], handle: notHere,
    input: Type.Object({ id: Type.String({ description: "Id of the thing" }) }),
  }),
  operation({
    id: "things.create", http: "POST /api/v1/things", cli: { name: "things create", positional: ["name"] }, summary: "Make a thing", description: "Waits until it is there.",
    permission: "things:write", effect: "change", output: Type.Object({ thing: Thing, event: Type.Optional(EventOutcome) }), errors: [NameTaken], handle: notHere,
    examples: [{ input: { name: "it's", size: 3, ratio: 0.5, shared: false, tags: { team: "web", tier: "1" }, labels: ["a", "b c"], parts: [{ n: 1 }], os: { id: "debian" }, parent: null, url: "http://x.example" } }],
    input: Type.Object({
      name: Type.String(), size: Type.Optional(Type.Integer({ minimum: 1, maximum: 9, default: 2, description: "How large" })), ratio: Type.Optional(Type.Number()),
      shared: Type.Optional(Type.Boolean({ default: true })), tags: Type.Optional(Type.Record(Type.String({ pattern: "^[a-z]+$" }), Type.String())),
      labels: Type.Optional(Type.Array(Type.String())), parts: Type.Optional(Type.Array(Type.Object({ n: Type.Integer() }))),
      os: Type.Optional(Type.Object({ id: Type.String() })), parent: Type.Optional(Type.Union([Type.String(), Type.Null()])), url: Type.Optional(Type.String()),
    }),
  }),
  operation({
    id: "things.delete", http: "DELETE /api/v1/things/{id}", cli: { name: "things delete", positional: ["id"] }, summary: "Remove a thing",
    permission: "things:write", effect: "destructive", output: Type.Object({}), examples: [{ input: { id: "thg_1" } }], handle: notHere, input: Type.Object({ id: Type.String(), force: Type.Optional(Type.Boolean()) }),
  }),
  operation({
    id: "things.upload", http: "POST /api/v1/things/{id}/content", cli: { name: "things upload", positional: ["id"] }, summary: "Send the content of a thing",
    permission: "things:write", effect: "change", output: Type.Object({ bytes: Type.Integer() }), examples: [{ input: { id: "thg_1" } }], handle: notHere,
    body: { contentTypes: ["application/octet-stream"], description: "The content" }, input: Type.Object({ id: Type.String() }),
  }),
  operation({
    id: "things.compare", http: "POST /api/v1/things/compare", cli: { name: "things compare", positional: ["left", "right"] }, summary: "Compare two things",
    permission: "public", reason: "it knows nothing", effect: "pure", output: Type.Object({ order: Type.Integer() }), examples: [{ input: { left: "1", right: "2" } }], handle: notHere,
    input: Type.Object({ left: Type.String(), right: Type.String() }),
  }),
  operation({
    id: "things.hidden", http: "POST /api/v1/things/hidden", summary: "Not a command", without: { cli: "for programs" },
    permission: "things:write", effect: "change", output: Type.Object({}), examples: [{ input: {} }], handle: notHere, input: Type.Object({}),
  }),
];

export function testManifest(others: readonly Operation[] = []): OperationManifest {
  return toManifest(createRegistry([{ name: "things", operations: [...operations, ...others] }]));
}

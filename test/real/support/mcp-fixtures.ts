import { setTimeout as delay } from "node:timers/promises";
import { Type } from "typebox";
import { errorType, fail } from "../../../src/platform/errors.ts";
import { operation, type Operation } from "../../../src/platform/operation/operation.ts";

const Deliberate = errorType("deliberate-failure", 422, "This tool intentionally returns an error for testing");
const Said = Type.Object({ said: Type.String() });
const common = { permission: "self", reason: "fixture of the conformance suite", input: Type.Object({}), examples: [{ input: {} }] } as const;

const simpleText = operation({
  ...common, id: "test.simple-text", http: "GET /test/simple-text", summary: "Answer a simple text", effect: "read", output: Said,
  handle: async () => ({ said: "This is a simple text response for testing." }),
});

const errorHandling = operation({
  ...common, id: "test.error-handling", http: "GET /test/error-handling", summary: "Refuse, always", effect: "read", output: Said, errors: [Deliberate],
  handle: async () => fail(Deliberate),
});

const toolWithProgress = operation({
  ...common, id: "test.tool-with-progress", http: "GET /test/tool-with-progress", summary: "Report progress three times", effect: "read", output: Said,
  async prepare(context) {
    for (const done of [0, 50, 100]) {
      context.progress({ step: "counting", done, total: 100 });
      await delay(50, undefined, { signal: context.signal });
    }
  },
  handle: async () => ({ said: "counted" }),
});

/** Asks nobody anything: an operation cannot, and that nothing but its answer is in the stream is what is tested. */
const streamingElicitation = operation({
  ...common, id: "test.streaming-elicitation", http: "GET /test/streaming-elicitation", summary: "Answer over a stream", effect: "read", output: Said,
  handle: async () => ({ said: "answered" }),
});

/** Writes to the server's log, which no client sees. */
const loggingTool = operation({
  ...common, id: "test.logging-tool", http: "GET /test/logging-tool", summary: "Write to the log", effect: "read", output: Said,
  async handle(context) {
    context.log.info("a tool was called");
    return { said: "logged" };
  },
});

const jsonSchema = operation({
  ...common, id: "json.schema-2020-12-tool", http: "POST /test/json-schema", summary: "Take what a schema with every keyword describes", effect: "read", output: Said,
  input: Type.Object(
    {
      name: Type.Optional(Type.String()), address: Type.Optional(Type.Unsafe<unknown>({ $ref: "#/$defs/address" })),
      contactMethod: Type.Optional(Type.Unsafe<string>({ type: "string", enum: ["phone", "email"] })), phone: Type.Optional(Type.String()), email: Type.Optional(Type.String()),
    },
    {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $defs: { address: { $anchor: "addressDef", type: "object", properties: { street: { type: "string" }, city: { type: "string" } } } },
      allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
      if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: { required: ["phone"] }, else: { required: ["email"] },
    },
  ),
  handle: async () => ({ said: "ok" }),
});

/** Those tools that the scenarios of the suite call and that can be operations. */
export const conformanceFixtures: readonly Operation[] = [simpleText, errorHandling, toolWithProgress, streamingElicitation, loggingTool, jsonSchema];

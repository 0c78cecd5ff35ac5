import type { Effect, Method, Operation } from "../../platform/operation/operation.ts";
import { hasDoor, placeOf, routeOf, type Registry } from "../../platform/operation/registry.ts";
import type { Door } from "../../platform/operation/operation.ts";
import type { JsonSchema } from "./schema.ts";

/** One operation as the CLI knows it: plain JSON, without code. */
export interface OperationRecord {
  id: string;
  http: { method: Method; path: string };
  /** Where each input field travels. */
  places: Record<string, "path" | "query" | "body">;
  /** Absent where the operation has no CLI door. */
  cli?: { name: string; positional: readonly string[]; columns: readonly string[]; alone?: string; failsWhen?: { field: string; is: boolean } };
  summary: string;
  description?: string;
  permission: string;
  effect: Effect;
  doors: readonly Door[];
  input: JsonSchema;
  output: JsonSchema;
  errors: readonly { code: string; status: number; title: string }[];
  examples: readonly { input: Record<string, unknown>; summary?: string }[];
  body?: { contentTypes: readonly string[]; description: string };
  /** Goes on as server-sent events, whose data is such. */
  stream?: JsonSchema;
  /** Answers `{items, next}` and takes a cursor. */
  list: boolean;
}

/** All that the CLI starts from. Written at build time, so that no command loads the server. */
export interface OperationManifest {
  format: 1;
  operations: readonly OperationRecord[];
}

const doors: readonly Door[] = ["http", "cli", "mcp"];

/** The registry as plain JSON. A command without a name of its own has the words of its id: `images.get-lineage` is `images get-lineage`. */
export function toManifest(registry: Registry): OperationManifest {
  const manifest: OperationManifest = { format: 1, operations: registry.operations.map(recordOf) };
  return JSON.parse(JSON.stringify(manifest)) as OperationManifest;
}

function recordOf(operation: Operation): OperationRecord {
  const { method, path } = routeOf(operation);
  const output = operation.output as JsonSchema;
  return {
    id: operation.id,
    http: { method, path },
    places: Object.fromEntries(Object.keys(operation.input.properties).map((field) => [field, placeOf(operation, field)])),
    ...(hasDoor(operation, "cli") && {
      cli: {
        name: operation.cli?.name ?? operation.id.replaceAll(".", " "),
        positional: operation.cli?.positional ?? [],
        columns: operation.cli?.columns ?? [],
        ...(operation.cli?.alone !== undefined && { alone: operation.cli.alone }),
        ...(operation.cli?.failsWhen !== undefined && { failsWhen: operation.cli.failsWhen }),
      },
    }),
    summary: operation.summary,
    ...(operation.description !== undefined && { description: operation.description }),
    permission: operation.permission,
    effect: operation.effect,
    doors: doors.filter((door) => hasDoor(operation, door)),
    input: operation.input as JsonSchema,
    output,
    errors: operation.errors ?? [],
    examples: operation.examples,
    ...(operation.body !== undefined && { body: operation.body }),
    ...(operation.stream !== undefined && { stream: operation.stream.event as JsonSchema }),
    list: output.properties?.["items"]?.type === "array" && operation.input.properties["cursor"] !== undefined,
  };
}

import type { Tool } from "@modelcontextprotocol/server";
import type { Operation } from "../../platform/operation/operation.ts";
import { hasDoor, mcpName, routeOf, type Registry } from "../../platform/operation/registry.ts";
import { meta } from "./names.ts";

/** An operation and how it is shown to a client. */
export interface OperationTool {
  operation: Operation;
  tool: Tool;
}

/**
 * The tools of all operations with the MCP door, by name and in the order of the registry. Throws for an operation that
 * cannot be one, because it takes a body beside its input.
 */
export function toolsOf(registry: Registry): ReadonlyMap<string, OperationTool> {
  const operations = registry.operations.filter((operation) => hasDoor(operation, "mcp"));
  const streaming = operations.find((operation) => operation.body !== undefined);
  if (streaming !== undefined) throw new Error(`${streaming.id} takes a body, which no tool can send: close its door mcp, with the reason`);
  return new Map(operations.map((operation) => [mcpName(operation), { operation, tool: toolOf(operation) }]));
}

function toolOf(operation: Operation): Tool {
  return {
    name: mcpName(operation),
    title: operation.summary,
    description: descriptionOf(operation),
    inputSchema: operation.input as unknown as Tool["inputSchema"],
    outputSchema: operation.output as unknown as NonNullable<Tool["outputSchema"]>,
    annotations: annotationsOf(operation),
    _meta: { [meta.operation]: operation.id },
  };
}

function annotationsOf(operation: Operation): NonNullable<Tool["annotations"]> {
  const { effect } = operation;
  const readOnly = effect === "pure" || effect === "read";
  const { method } = routeOf(operation);
  return {
    readOnlyHint: readOnly,
    destructiveHint: effect === "destructive",
    // What RFC 9110 says of the method holds for the operation behind it.
    idempotentHint: readOnly || method === "PUT" || method === "DELETE",
    // Only `prepare` can reach beyond the platform's own data.
    openWorldHint: operation.prepare !== undefined,
  };
}

const mostExamples = 2;

function descriptionOf(operation: Operation): string {
  const about = [sentence(operation.summary), operation.description].filter((text) => text !== undefined).join(" ");
  const warning = operation.effect === "destructive" ? "Destructive: a program that calls it needs the approval of a person." : undefined;
  const examples = operation.examples.slice(0, mostExamples).filter(({ input }) => Object.keys(input).length > 0).map(({ input, summary }) =>
    `Example${summary === undefined ? "" : ` (${summary})`}: ${JSON.stringify(input)}`);
  return [about, warning, ...examples].filter((text) => text !== undefined).join("\n");
}

function sentence(text: string): string {
  return /[.:]$/.test(text) ? text : `${text}.`;
}

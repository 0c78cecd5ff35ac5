import type { Subscription } from "../events/types.ts";
import type { Door, Method, Operation } from "./operation.ts";

/** A module as the composition root sees it. */
export interface Module {
  name: string;
  operations: readonly Operation[];
  subscriptions?: readonly Subscription[];
}

export interface Route {
  method: Method;
  /** `/api/v1/images/{id}` */
  path: string;
  parameters: readonly string[];
}

export interface Registry {
  operations: readonly Operation[];
  byId: ReadonlyMap<string, Operation>;
  subscriptions: readonly Subscription[];
}

/** Puts the modules together; two operations that claim the same name, route or command are an error of the program. */
export function createRegistry(modules: readonly Module[]): Registry {
  const operations = modules.flatMap((module) => module.operations);
  unique(operations.map((operation) => operation.id), "id");
  unique(operations.map((operation) => operation.http.replaceAll(/\{\w+\}/g, "{}")), "route");
  unique(operations.flatMap((operation) => (operation.cli === undefined ? [] : [operation.cli.name])), "command");
  unique(operations.filter((operation) => hasDoor(operation, "mcp")).map(mcpName), "tool");
  return {
    operations,
    byId: new Map(operations.map((operation) => [operation.id, operation])),
    subscriptions: modules.flatMap((module) => module.subscriptions ?? []),
  };
}

function unique(names: readonly string[], what: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`two operations declare the ${what} ${twice}`);
}

export function hasDoor(operation: Operation, door: Door): boolean {
  return operation.without?.[door] === undefined;
}

/** MCP clients refuse dots in tool names. */
export function mcpName(operation: Operation): string {
  return operation.id.replaceAll(".", "_").replaceAll("-", "_");
}

export function routeOf(operation: Operation): Route {
  const [method, path] = operation.http.split(" ") as [Method, string];
  return { method, path, parameters: [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string) };
}

/** Where an input field travels over HTTP. */
export function placeOf(operation: Operation, field: string): "path" | "query" | "body" {
  const { method, parameters } = routeOf(operation);
  if (parameters.includes(field)) return "path";
  return method === "GET" || method === "DELETE" || operation.body !== undefined ? "query" : "body";
}

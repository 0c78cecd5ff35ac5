import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Database, Db } from "../database/database.ts";
import type { EventType } from "../events/declare.ts";
import type { Fold } from "../events/fold.ts";
import type { Projection } from "../events/projection.ts";
import type { EventAppender, StoredEvent, Subscription } from "../events/types.ts";
import type { Ids } from "../ids.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { StepHandler, Workflow } from "../workflow/index.ts";
import type { Door, Method, Operation } from "./operation.ts";

/** A module as the composition root sees it. */
export interface Module {
  name: string;
  operations: readonly Operation[];
  /** The types of what it appends, and of what the platform appends on its behalf. */
  events?: readonly EventType[];
  /** Made at the start of a server; a program that only lists the operations does not need them. */
  subscriptions?(services: SubscriptionServices): readonly Subscription[];
  /** Of its streams whose state is folded from their events. */
  folds?: readonly Fold<unknown>[];
  /** Of the log, into tables of its own. */
  projections?: readonly Projection[];
  workflows?: readonly Workflow[];
  /** What the steps of its workflows do. */
  steps?: readonly StepHandler[];
}

/** What a subscription may use beside the transaction that it is given. */
export interface SubscriptionServices {
  database: Database;
  clock: Clock;
  ids: Ids;
  log: Logger;
  metrics: Metrics;
  eventTypes: readonly EventType[];
  compute<T>(task: string, data: unknown, signal?: AbortSignal): Promise<T>;
  /** Appender of what it appends in a transaction of its own, to the log of that organization and because of that request. */
  appenderFor(db: Db, subscription: string, cause: Pick<StoredEvent, "orgId" | "requestId">): EventAppender;
}

export interface Route {
  method: Method;
  /** `/api/v1/images/{id}` */
  path: string;
  parameters: readonly string[];
}

export interface Registry {
  operations: readonly Operation[];
  /** Those that operations ask for, each once. */
  permissions: readonly string[];
  byId: ReadonlyMap<string, Operation>;
  workflows: ReadonlyMap<string, Workflow>;
  steps: readonly StepHandler[];
  /** By type. */
  events: ReadonlyMap<string, EventType>;
}

/** Puts the modules together; two that claim the same name, route, command or type of event are an error of the program. */
export function createRegistry(modules: readonly Module[]): Registry {
  const operations = modules.flatMap((module) => module.operations);
  unique(operations.map((operation) => operation.id), "id");
  unique(operations.map((operation) => operation.http.replaceAll(/\{\w+\}/g, "{}")), "route");
  unique(operations.flatMap((operation) => (operation.cli === undefined ? [] : [operation.cli.name])), "command");
  unique(operations.filter((operation) => hasDoor(operation, "mcp")).map(mcpName), "tool");
  const workflows = modules.flatMap((module) => module.workflows ?? []);
  const steps = modules.flatMap((module) => module.steps ?? []);
  unique(workflows.map((workflow) => workflow.id), "workflow");
  unique(steps.map(({ ref }) => ref.id), "step");
  const events = modules.flatMap((module) => module.events ?? []);
  unique(modules.flatMap((module) => module.projections ?? []).map(({ id }) => id), "projection");
  unique(events.map(({ type }) => type), "type of event");
  return {
    operations, steps, workflows: new Map(workflows.map((workflow) => [workflow.id, workflow])),
    permissions: [...new Set(operations.map(({ permission }) => permission))].filter((permission) => permission.includes(":")),
    byId: new Map(operations.map((operation) => [operation.id, operation])),
    events: new Map(events.map((event) => [event.type, event])),
  };
}

function unique(names: readonly string[], what: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`the ${what} ${twice} is declared twice`);
}

export function hasDoor(operation: Operation, door: Door): boolean {
  return operation.without?.[door] === undefined;
}

/** MCP clients refuse dots in tool names. */
export function mcpName(operation: Operation): string {
  return operation.id.replaceAll(".", "_").replaceAll("-", "_");
}

const routes = new WeakMap<Operation, Route>();

export function routeOf(operation: Operation): Route {
  let route = routes.get(operation);
  if (route === undefined) {
    const [method, path] = operation.http.split(" ") as [Method, string];
    route = { method, path, parameters: [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string) };
    routes.set(operation, route);
  }
  return route;
}

/** Where an input field travels over HTTP. */
export function placeOf(operation: Operation, field: string): "path" | "query" | "body" {
  const { method, parameters } = routeOf(operation);
  if (parameters.includes(field)) return "path";
  return method === "GET" || method === "DELETE" || operation.body !== undefined ? "query" : "body";
}

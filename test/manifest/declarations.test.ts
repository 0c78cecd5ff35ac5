import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { goldens } from "../../src/app/goldens.ts";
import { pureOperationIds } from "../../src/app/pure-handlers.ts";
import { packageRoot } from "../../src/app/root.ts";
import { toManifest } from "../../src/surfaces/cli/manifest.ts";
import { toOpenApi } from "../../src/surfaces/http/openapi.ts";
import { createRegistry, hasDoor, placeOf, routeOf } from "../../src/platform/operation/registry.ts";
import { pipelineErrors } from "../../src/platform/errors.ts";
import type { Door, Operation } from "../../src/platform/operation/index.ts";
import { faultsAgainst } from "../../src/platform/operation/validate.ts";
import { modules } from "../../src/app/modules.ts";

const registry = createRegistry(modules);
const { operations } = registry;
const doors: readonly Door[] = ["http", "cli", "mcp"];

it("there are operations to test", () => {
  expect(operations.length).toBeGreaterThan(30);
});

describe.each(operations)("$id", (operation) => {
  it("is named, summed up and described for a person", () => {
    expect(operation.id).toMatch(/^[a-z][a-z-]*\.[a-z][a-z-]*$/);
    expect(operation.summary).toMatch(/^[A-Z].{7,99}[^.!]$/);
    expect(operation.description ?? "A description.").toMatch(/^[A-Z`].{9,499}$/);
    expect(undescribed(operation)).toEqual([]);
  });

  it("has examples that its input takes, and one for each field that is required", () => {
    expect(operation.examples.length).toBeGreaterThan(0);
    for (const { input } of operation.examples) expect(faultsAgainst(operation.input, input)).toEqual([]);
  });

  it("lies under /api/v1, with each part of the path an input field, and answers by its method", () => {
    const { method, path, parameters } = routeOf(operation);
    expect(path).toMatch(/^\/api\/v1(\/([a-z-]+|\{\w+\}))+$/);
    expect(parameters.filter((parameter) => !(parameter in operation.input.properties))).toEqual([]);
    const optional = parameters.filter((parameter) => !((operation.input as { required?: string[] }).required ?? []).includes(parameter));
    expect(optional).toEqual([]);
    if (method === "GET") expect(["pure", "read"]).toContain(operation.effect);
    if (operation.effect === "change" || operation.effect === "destructive") expect(method).not.toBe("GET");
  });

  it("says why where it is for everybody or not at every door", () => {
    if (operation.permission === "public" || operation.permission === "self") expect(operation.reason).toMatch(/\w+ \w+/);
    else expect(operation.permission).toMatch(/^[a-z][a-z-]*:[a-z][a-z-]*$/);
    for (const reason of Object.values(operation.without ?? {})) expect(reason).toMatch(/\w+ \w+ \w+/);
    if (!hasDoor(operation, "cli")) expect(operation.cli).toBeUndefined();
  });

  it("declares its errors with one status a code", () => {
    const errors = [...pipelineErrors, ...(operation.errors ?? [])];
    for (const { code, status, title } of errors) {
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(title).toMatch(/^[A-Z].*[^.!]$/);
    }
    expect(new Set(errors.map(({ code }) => code)).size).toBe(errors.length);
  });

  it("says which of its fields are secrets, so that nothing keeps or repeats them", () => {
    const secret = /^(password|token|key|secret|.*Password|.*Token|.*Secret)$/;
    const answered = Object.keys((operation.output as { properties?: object }).properties ?? {}).filter((field) => secret.test(field));
    if (answered.length > 0) expect([answered, operation.answersSecret]).toEqual([answered, true]);
    const taken = Object.entries(operation.input.properties).filter(([field]) => secret.test(field));
    expect(taken.filter(([, schema]) => (schema as { writeOnly?: boolean }).writeOnly !== true).map(([field]) => field)).toEqual([]);
  });

  it("bounds what it takes: no text or list of any length", () => {
    expect(unbounded(operation.input, "")).toEqual([]);
  });
});

/** Fields of the input that say nothing about themselves, and whose name is no common word for it either. */
function undescribed(operation: Operation): string[] {
  const plain = new Set(["name", "password", "displayName", "email", "tags", "scopes", "currentPassword", "os", "expiresInDays"]);
  return Object.entries(operation.input.properties)
    .filter(([field, schema]) => (schema as { description?: string }).description === undefined && !plain.has(field))
    .map(([field]) => field);
}

interface Schema {
  type?: string;
  enum?: unknown;
  const?: unknown;
  pattern?: string;
  format?: string;
  maxLength?: number;
  maxItems?: number;
  maxProperties?: number;
  maximum?: number;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
}

function unbounded(schema: Schema, path: string): string[] {
  const own: string[] = [];
  if (schema.type === "string" && schema.enum === undefined && schema.const === undefined && schema.format === undefined && schema.maxLength === undefined && !boundedPattern(schema.pattern ?? "")) own.push(`${path}: a text without maxLength`);
  if (schema.type === "array" && schema.maxItems === undefined) own.push(`${path}: a list without maxItems`);
  if (schema.patternProperties !== undefined && schema.maxProperties === undefined) own.push(`${path}: an object of any names without maxProperties`);
  if (schema.type === "integer" && schema.maximum === undefined) own.push(`${path}: a whole number without maximum`);
  return [
    ...own,
    ...(schema.anyOf ?? []).flatMap((one) => unbounded(one, path)),
    ...(schema.items === undefined ? [] : unbounded(schema.items, `${path}/*`)),
    ...Object.entries({ ...schema.properties, ...schema.patternProperties }).flatMap(([name, one]) => unbounded(one, `${path}/${name}`)),
  ];
}

/** Anchored, and nothing in it repeats without end. */
function boundedPattern(pattern: string): boolean {
  const structure = pattern.replaceAll(/\\./g, "x").replaceAll(/\[[^\]]*\]/g, "x");
  return pattern.startsWith("^") && pattern.endsWith("$") && !/[*+]|\{\d+,\}/.test(structure);
}

it("the CLI runs each pure operation by itself, and no other", () => {
  expect([...pureOperationIds].sort()).toEqual(operations.filter(({ effect }) => effect === "pure").map(({ id }) => id).sort());
});

describe("the goldens", () => {
  it.each(goldens())("$path is what the operations make; if that is meant, run `node src/main.ts goldens --write`", ({ path, text }) => {
    expect(readFileSync(join(packageRoot(), path), "utf8")).toBe(text);
  });
});

describe("each operation is in the doors that it declares, and in no other", () => {
  const document = toOpenApi(registry, "0.0.0") as { paths: Record<string, Record<string, { operationId: string; "x-permission": string; "x-effect": string; parameters?: { name: string; in: string }[] }>> };
  const inOpenApi = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, { operationId }]) => `${operationId} ${method.toUpperCase()} ${path}`));
  const manifest = toManifest(registry).operations;

  it("OpenAPI", () => {
    const declared = operations.filter((operation) => hasDoor(operation, "http")).map((operation) => `${operation.id} ${operation.http}`);
    expect(inOpenApi.sort()).toEqual(declared.sort());
    for (const methods of Object.values(document.paths)) {
      for (const described of Object.values(methods)) {
        const operation = registry.byId.get(described.operationId) as Operation;
        expect([described["x-permission"], described["x-effect"]]).toEqual([operation.permission, operation.effect]);
        const outside = Object.keys(operation.input.properties).filter((field) => placeOf(operation, field) !== "body");
        expect((described.parameters ?? []).filter((parameter) => parameter.in !== "header").map(({ name }) => name).sort()).toEqual(outside.sort());
      }
    }
  });

  it("the commands of the CLI", () => {
    const declared = operations.filter((operation) => hasDoor(operation, "cli")).map(({ id }) => id);
    expect(manifest.filter(({ cli }) => cli !== undefined).map(({ id }) => id)).toEqual(declared);
    for (const { id, cli } of manifest) {
      const operation = registry.byId.get(id) as Operation;
      expect((cli?.positional ?? []).filter((field) => !(field in operation.input.properties))).toEqual([]);
    }
  });

  it("and the manifest says the doors of each", () => {
    for (const { id, doors: listed } of manifest) {
      const operation = registry.byId.get(id) as Operation;
      expect([id, listed]).toEqual([id, doors.filter((door) => hasDoor(operation, door))]);
    }
  });
});

describe("the check of bounds itself", () => {
  it.each<[Schema, number]>([
    [{ type: "string" }, 1], [{ type: "string", maxLength: 5 }, 0], [{ type: "string", pattern: "^[a-z]{1,5}$" }, 0], [{ type: "string", pattern: "^[a-z]+$" }, 1],
    [{ type: "string", pattern: "^[a-z.+*-]{1,5}$" }, 0], [{ type: "string", pattern: "^a{1,}$" }, 1], [{ type: "string", pattern: "[a-z]{1,5}" }, 1],
    [{ type: "array", items: { type: "string", maxLength: 1 } }, 1], [{ type: "array", maxItems: 3, items: { type: "string" } }, 1],
    [{ type: "object", properties: { a: { type: "string" } } }, 1], [{ anyOf: [{ type: "string" }, { type: "integer", maximum: 1 }] }, 1],
  ])("%j", (schema, faults) => {
    expect(unbounded(schema, "")).toHaveLength(faults);
  });
});

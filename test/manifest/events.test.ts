import { describe, expect, it } from "vitest";
import { modules } from "../../src/app/modules.ts";
import { permissionsOf, roles } from "../../src/modules/organizations/index.ts";
import { grants } from "../../src/platform/actor.ts";
import type { SubscriptionServices } from "../../src/platform/operation/index.ts";
import { createRegistry } from "../../src/platform/operation/registry.ts";

const { events } = createRegistry(modules);
const types = [...events.values()];

interface Schema {
  type?: string;
  description?: string;
  enum?: readonly unknown[];
  const?: unknown;
  pattern?: string;
  format?: string;
  maxLength?: number;
  maxItems?: number;
  patternProperties?: unknown;
  additionalProperties?: unknown;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
}

it("there are types of events to test", () => {
  expect(types.length).toBeGreaterThan(50);
});

describe.each(types)("$type", ({ type, summary, permission, data }) => {
  it("is named by what happened, and summed up for a person", () => {
    expect(type).toMatch(/^[a-z][a-z-]*\.[a-z][a-z-]*$/);
    expect(type.length).toBeLessThanOrEqual(100);
    expect(summary).toMatch(/^[A-Z].{7,119}[^.!]$/);
  });

  it("is for those who hold a permission that a role gives", () => {
    expect(permission).toMatch(/^[a-z][a-z-]*:read$/);
    expect(roles.filter((role) => grants(permissionsOf(role, false), permission))).not.toEqual([]);
  });

  it("holds ids, numbers and enumerated values, each of which says what it is", () => {
    expect(faultsOf(data as Schema, "")).toEqual([]);
  });
});

it("is told apart by every subscription: each names types that are declared", () => {
  const subscriptions = modules.flatMap((module) => module.subscriptions?.({ metrics: { gauge: () => undefined }, eventTypes: types } as unknown as SubscriptionServices) ?? []);
  expect(subscriptions.length).toBeGreaterThan(0);
  expect(subscriptions.flatMap(({ id, on }) => (on === "all" ? [] : on.filter((type) => !events.has(type)).map((type) => `${id} waits for ${type}`)))).toEqual([]);
});

it("is told apart by every projection: each names types that are declared, and tables of its module", () => {
  const projections = modules.flatMap(({ name, projections: own = [] }) => own.map((one) => ({ ...one, module: name })));
  expect(projections.length).toBeGreaterThan(0);
  expect(projections.flatMap(({ id, on }) => on.filter((type) => !events.has(type)).map((type) => `${id} counts ${type}`))).toEqual([]);
  expect(projections.filter(({ id, module, tables }) => ![id, ...tables].every((one) => one.startsWith(`${module}.`)))).toEqual([]);
});

it("is judged so that free text is found", () => {
  const text = { type: "string", description: "What somebody wrote" };
  expect([text, { ...text, maxLength: 10 }, { ...text, pattern: "^.*$" }, { type: "array", items: { ...text, enum: ["a"] } }, { type: "object", patternProperties: {} }].map((schema) => faultsOf(schema, "x").length)).toEqual([1, 1, 1, 1, 1]);
});

function faultsOf(schema: Schema, path: string): string[] {
  const own: string[] = [];
  const named = schema.enum !== undefined || schema.const !== undefined;
  if (schema.type === "string" && !named) {
    if (schema.format === undefined && schema.pattern === undefined) own.push(`${path}: a text of any kind; what people write goes to private`);
    else if (schema.maxLength === undefined && !boundedPattern(schema.pattern ?? "")) own.push(`${path}: a text without maxLength`);
  }
  if (schema.type === "array" && schema.maxItems === undefined) own.push(`${path}: a list without maxItems`);
  if (schema.patternProperties !== undefined || schema.additionalProperties !== undefined) own.push(`${path}: members of any name`);
  return [
    ...own,
    ...(schema.anyOf ?? []).flatMap((one) => faultsOf(one, path)),
    ...(schema.items === undefined ? [] : faultsOf(schema.items, `${path}/*`)),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, one]) => [
      ...(/^[a-z][A-Za-z0-9]*$/.test(name) ? [] : [`${path}/${name}: not in camel case`]),
      ...(one.description === undefined ? [`${path}/${name}: no description`] : []),
      ...faultsOf(one, `${path}/${name}`),
    ]),
  ];
}

/** Anchored, and nothing in it repeats without end. */
function boundedPattern(pattern: string): boolean {
  const structure = pattern.replaceAll(/\\./g, "x").replaceAll(/\[[^\]]*\]/g, "x");
  return pattern.startsWith("^") && pattern.endsWith("$") && !/[*+]|\{\d+,\}/.test(structure);
}

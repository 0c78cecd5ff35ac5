/** The parts of JSON Schema that the reference shows. */
export interface Schema {
  type?: string;
  description?: string;
  const?: unknown;
  enum?: readonly unknown[];
  anyOf?: readonly Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  patternProperties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  format?: string;
}

/** The type as one reads it: `string`, `"a" | "b"`, `list of integer`, `string or null`. */
export function typeText(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf !== undefined) {
    const words = schema.anyOf.every((option) => option.const !== undefined);
    return [...new Set(schema.anyOf.map(typeText))].join(words ? " | " : " or ");
  }
  if (schema.type === "array") return `list of ${typeText(schema.items ?? {})}`;
  if (schema.patternProperties !== undefined && Object.keys(schema.properties ?? {}).length === 0) {
    return `map of ${[...new Set(Object.values(schema.patternProperties).map(typeText))].join(" or ")}`;
  }
  if (schema.format !== undefined) return schema.format;
  return schema.type ?? "anything";
}

/** What a value must keep to beside its type, as short clauses. */
export function limitsOf(schema: Schema): string[] {
  return [
    ...range("", schema.minimum, schema.maximum), ...range("characters", schema.minLength, schema.maxLength), ...range("entries", schema.minItems, schema.maxItems),
    ...(schema.default === undefined ? [] : [`default ${JSON.stringify(schema.default)}`]),
  ];
}

function range(unit: string, least: number | undefined, most: number | undefined): string[] {
  const of = unit === "" ? "" : ` ${unit}`;
  if (least !== undefined && most !== undefined) return [`${number(least)} to ${number(most)}${of}`];
  if (least !== undefined) return [`at least ${number(least)}${of}`];
  return most === undefined ? [] : [`at most ${number(most)}${of}`];
}

function number(value: number): string {
  return value.toLocaleString("en-GB");
}

/** The part of JSON Schema that options and tables are made from. */
export interface JsonSchema {
  type?: string | readonly string[];
  description?: string;
  default?: unknown;
  enum?: readonly unknown[];
  const?: unknown;
  anyOf?: readonly JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: readonly string[];
  patternProperties?: Record<string, JsonSchema>;
  additionalProperties?: boolean | JsonSchema;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  format?: string;
}

/** How a field is given on a command line. */
export type FieldKind =
  | { kind: "string" }
  | { kind: "choice"; choices: readonly string[] }
  | { kind: "integer" | "number"; minimum?: number; maximum?: number }
  | { kind: "boolean" }
  | { kind: "map" }
  | { kind: "array"; item: FieldKind }
  | { kind: "json" };

export function kindOf(schema: JsonSchema): FieldKind {
  const choices = choicesOf(schema);
  if (choices !== undefined) return { kind: "choice", choices };
  if (schema.anyOf !== undefined) return kindOfUnion(schema.anyOf.filter((option) => option.type !== "null").map(kindOf));
  const type = typeof schema.type === "string" ? schema.type : schema.type?.find((name) => name !== "null");
  if (type === "string") return { kind: "string" };
  if (type === "boolean") return { kind: "boolean" };
  if (type === "integer" || type === "number") return { kind: type, ...boundsOf(schema) };
  if (type === "array") return { kind: "array", item: kindOf(schema.items ?? {}) };
  if (type === "object" && isMapOfStrings(schema)) return { kind: "map" };
  return { kind: "json" };
}

/** `current`, or an id: what is text in every case is given as text. */
function kindOfUnion(kinds: readonly FieldKind[]): FieldKind {
  const [only, ...others] = kinds;
  if (only !== undefined && others.length === 0) return only;
  if (kinds.every((each) => each.kind === "choice")) return { kind: "choice", choices: kinds.flatMap((each) => each.choices) };
  return kinds.every((each) => each.kind === "string" || each.kind === "choice") ? { kind: "string" } : { kind: "json" };
}

function choicesOf(schema: JsonSchema): string[] | undefined {
  const values = schema.enum ?? ("const" in schema ? [schema.const] : undefined);
  return values !== undefined && values.every((value) => typeof value === "string") ? [...values] : undefined;
}

function boundsOf({ minimum, maximum }: JsonSchema): { minimum?: number; maximum?: number } {
  return { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) };
}

function isMapOfStrings(schema: JsonSchema): boolean {
  if (schema.properties !== undefined && Object.keys(schema.properties).length > 0) return false;
  const values = [...Object.values(schema.patternProperties ?? {}), ...(typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : [])];
  return values.length > 0 && values.every((value) => value.type === "string");
}

/** `null` is a value of the schema, written `null` on the command line. */
export function isNullable(schema: JsonSchema): boolean {
  return schema.type === "null" || (Array.isArray(schema.type) && schema.type.includes("null")) || (schema.anyOf ?? []).some(isNullable);
}

/** `fixedVersion` -> `fixed-version`. */
export function kebab(field: string): string {
  return field.replaceAll(/([a-z0-9])([A-Z])/g, "$1-$2").replaceAll("_", "-").toLowerCase();
}

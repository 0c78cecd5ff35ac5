type Schema = Record<string, unknown>;

/** Upper limits may grow and lower ones fall: readers count on neither. */
const upper = ["maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum"];
const lower = ["minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum"];
/** What only says something about the value. */
const words = new Set(["description", "title", "examples", "default", "deprecated", "$id", "$schema"]);
const treated = new Set([...words, ...upper, ...lower, "enum", "const", "anyOf", "properties", "required", "items", "type"]);

/**
 * What the change of the data's schemas would break, one line each; empty where readers of the old schemas read new
 * events and the new schemas hold for the events that the log has. Compatible are a new type, a new optional member, a new
 * value of an enumeration (readers are told to pass over what they do not know), wider limits and other words. Nothing
 * else is.
 */
export function incompatibilities(before: Readonly<Record<string, Schema>>, after: Readonly<Record<string, Schema>>): string[] {
  return Object.entries(before).flatMap(([type, schema]) => {
    const now = after[type];
    if (now === undefined) return [`${type} is no longer declared, and the log has events of it: keep the declaration, also where nothing appends it any more`];
    return changes(schema, now, type);
  });
}

/** What to do about it. */
export const howToEvolve = "Declare a new type of event beside the old one (`....-v2`), or add an optional member and keep the old one.";

function changes(before: Schema, after: Schema, at: string): string[] {
  const [old, now] = [values(before), values(after)];
  if (old !== undefined) {
    if (now === undefined) return [`${at} is no enumeration any more`];
    return old.filter((value) => !now.includes(value)).map((value) => `${at} can no longer be ${value}`);
  }
  if (now !== undefined) return [`${at} is an enumeration now`];
  if (JSON.stringify(before["type"]) !== JSON.stringify(after["type"])) return [`${at} is ${said(after["type"])} instead of ${said(before["type"])}`];
  return [...limits(before, after, at), ...others(before, after, at), ...branches(before, after, at), ...members(before, after, at), ...items(before, after, at)];
}

/** The JSON texts of the values that it names, also as `const` or a choice of constants. */
function values(schema: Schema): string[] | undefined {
  if (Array.isArray(schema["enum"])) return schema["enum"].map((value) => JSON.stringify(value));
  if ("const" in schema) return [JSON.stringify(schema["const"])];
  const choice = schema["anyOf"];
  if (!Array.isArray(choice) || choice.length === 0) return undefined;
  const each = (choice as Schema[]).map(values);
  return each.every((one) => one !== undefined) ? each.flat() : undefined;
}

function limits(before: Schema, after: Schema, at: string): string[] {
  const narrower = (name: string, old: number | undefined, now: number | undefined, sign: 1 | -1): string[] => {
    if (now === undefined || (old !== undefined && sign * now >= sign * old)) return [];
    return [`${at} has ${name} ${now} instead of ${old ?? "none"}`];
  };
  const of = (schema: Schema, name: string): number | undefined => schema[name] as number | undefined;
  return [
    ...upper.flatMap((name) => narrower(name, of(before, name), of(after, name), 1)),
    ...lower.flatMap((name) => narrower(name, of(before, name), of(after, name), -1)),
  ];
}

/** Patterns, formats and the like: whether one takes what another does cannot be told, so that they stay. */
function others(before: Schema, after: Schema, at: string): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => !treated.has(name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => `${at} has another ${name}`);
}

function branches(before: Schema, after: Schema, at: string): string[] {
  const old = (before["anyOf"] ?? []) as Schema[];
  const now = (after["anyOf"] ?? []) as Schema[];
  if (old.length !== now.length) return [`${at} is one of ${now.length} kinds instead of ${old.length}`];
  return old.flatMap((schema, i) => changes(schema, now[i] as Schema, `${at} (kind ${i + 1})`));
}

function members(before: Schema, after: Schema, at: string): string[] {
  const old = (before["properties"] ?? {}) as Record<string, Schema>;
  const now = (after["properties"] ?? {}) as Record<string, Schema>;
  const [needed, needs] = [new Set((before["required"] ?? []) as string[]), new Set((after["required"] ?? []) as string[])];
  return [
    ...Object.entries(old).flatMap(([name, schema]) => {
      const member = now[name];
      if (member === undefined) return [`${at}.${name} is gone`];
      if (needed.has(name) && !needs.has(name)) return [`${at}.${name} may be absent now`];
      if (!needed.has(name) && needs.has(name)) return [`${at}.${name} must be there now, and older events lack it`];
      return changes(schema, member, `${at}.${name}`);
    }),
    ...Object.keys(now).filter((name) => !(name in old) && needs.has(name)).map((name) => `${at}.${name} is new and must be there, and older events lack it: make it optional`),
  ];
}

function items(before: Schema, after: Schema, at: string): string[] {
  const [old, now] = [before["items"] as Schema | undefined, after["items"] as Schema | undefined];
  if (old === undefined && now === undefined) return [];
  if (old === undefined || now === undefined) return [`${at} holds other things`];
  return changes(old, now, `${at}[]`);
}

function said(type: unknown): string {
  return type === undefined ? "one of several kinds" : String(type);
}

import type { Operation } from "../../src/platform/operation/index.ts";
import { placeOf } from "../../src/platform/operation/registry.ts";

export interface Mutant {
  what: string;
  input: Record<string, unknown>;
}

type Json = unknown;

const huge = "a".repeat(20_000);

/** Values that no field means, for a JSON body. */
const values: readonly (readonly [string, Json])[] = [
  ["null", null], ["a number", 7], ["a negative number", -1], ["zero", 0], ["a fraction", 0.5], ["1e308", 1e308], ["more than 2^53", 9_007_199_254_740_992], ["a large negative number", -9_223_372_036_854_775_808],
  ["true", true], ["an empty text", ""], ["a word", "x"], ["a text with NUL", "a\u0000b"], ["a lone surrogate", "a\ud800b"], ["a long text", huge], ["a text of control characters", "\u0001\u001b[31m"],
  ["text out of SQL", "'; select pg_sleep(1) --"], ["a path", "../../../etc/passwd"], ["a wildcard", "%"],
  ["an empty list", []], ["a list of lists", [[[]]]], ["a list of NULs", ["\u0000"]], ["a long list", Array.from({ length: 2_000 }, () => "x")],
  ["an empty object", {}], ["an object with NUL", { "a\u0000": "b\u0000" }], ["an object of objects", { a: { b: { c: {} } } }], ["a toString", { toString: "x" }],
];

/** The same for path and query, where everything is text. */
const texts: readonly (readonly [string, string])[] = [
  ["a number", "7"], ["a negative number", "-1"], ["zero", "0"], ["a fraction", "0.5"], ["1e308", "1e308"], ["1e999", "1e999"], ["more than 2^63", "9223372036854775808"], ["NaN", "NaN"], ["0x10", "0x10"],
  ["an empty text", ""], ["a space", " "], ["a NUL", "a\u0000b"], ["a long text", "a".repeat(1_500)], ["control characters", "\u0001\u001b[31m"],
  ["text out of SQL", "'; select pg_sleep(1) --"], ["a path", "../../../etc/passwd"], ["a wildcard", "%"], ["an object", "[object Object]"], ["__proto__", "__proto__"],
];

/** One wrong thing at a time: each field with each value, each element of an object or list inside it, and a field too many. */
export function mutantsOf(operation: Operation): Mutant[] {
  const base = operation.examples[0]?.input ?? {};
  const mutants: Mutant[] = [];
  for (const field of Object.keys(operation.input.properties)) {
    const candidates = placeOf(operation, field) === "body" ? values : texts;
    for (const [what, value] of candidates) mutants.push({ what: `/${field}: ${what}`, input: { ...base, [field]: value } });
    if (placeOf(operation, field) === "body") mutants.push(...inside(base[field], `/${field}`).map(({ what, value }) => ({ what, input: { ...base, [field]: value } })));
  }
  const required = (operation.input as { required?: string[] }).required ?? [];
  for (const field of required) {
    if (placeOf(operation, field) === "path") continue;
    const { [field]: _, ...rest } = base;
    mutants.push({ what: `without /${field}`, input: rest });
  }
  mutants.push({ what: "a field too many", input: { ...base, qinfraUnknown: "x" } });
  return mutants;
}

/** Each leaf of the value replaced by each wrong value, and each object with a member too many. */
function inside(value: Json, path: string): { what: string; value: Json }[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => [...replacements(`${path}/${i}`), ...inside(item, `${path}/${i}`)].map((inner) => ({ what: inner.what, value: value.with(i, inner.value) })));
  if (typeof value !== "object" || value === null) return [];
  const members = Object.entries(value).flatMap(([key, item]) =>
    [...replacements(`${path}/${key}`), ...inside(item, `${path}/${key}`)].map((inner) => ({ what: inner.what, value: { ...value, [key]: inner.value } })));
  const more = ["qinfra\u0000", "not a name!", "a".repeat(300)].map((name) => ({ what: `${path}: the member ${name.slice(0, 20)} too many`, value: { ...value, [name]: null } }));
  return [...members, ...more];
}

function replacements(path: string): { what: string; value: Json }[] {
  return values.map(([what, value]) => ({ what: `${path}: ${what}`, value }));
}

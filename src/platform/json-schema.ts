/** Nested ids name types of the source; the same id at several places of one document would be an error there. */
export function withoutIds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutIds);
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(Object.entries(schema).filter(([key, value]) => key !== "$id" || typeof value !== "string").map(([key, value]) => [key, withoutIds(value)]));
}

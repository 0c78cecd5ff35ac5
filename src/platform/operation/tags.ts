import { Type } from "typebox";
import { fail, InvalidInput } from "../errors.ts";

const key = "[A-Za-z0-9][A-Za-z0-9._/-]{0,99}";

/** Tags as operations take them. They are stored in side tables (org_id, id, key, value), never as jsonb. */
export const TagsInput = Type.Record(Type.String({ pattern: `^${key}$` }), Type.String({ maxLength: 500, pattern: "^[^\\u0000]*$" }), {
  description: "Key-value pairs", examples: [{ team: "platform" }], maxProperties: 100, propertyNames: { pattern: `^${key}$` },
});

export const TagsOutput = Type.Record(Type.String(), Type.String(), { description: "Key-value pairs" });

/** The filter of a list by one tag. */
export const TagFilter = Type.Optional(Type.String({ pattern: `^${key}=[^\\u0000]*$`, maxLength: 601, description: "Only those with this tag, written key=value", examples: ["team=platform"] }));

/** `team=platform` -> {key: "team", value: "platform"}. */
export function parseTag(tag: string): { key: string; value: string } {
  const at = tag.indexOf("=");
  if (at < 1) fail(InvalidInput, "/tag: write it as key=value");
  return { key: tag.slice(0, at), value: tag.slice(at + 1) };
}

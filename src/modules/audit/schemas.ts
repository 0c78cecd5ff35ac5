import { Type, type Static } from "typebox";
import { fail, InvalidInput } from "../../platform/errors.ts";

export const AuditEntry = Type.Object({
  sequence: Type.Integer({ description: "Gapless number within the organization" }),
  id: Type.String({ description: "Event id" }),
  time: Type.String({ format: "date-time" }),
  type: Type.String({ description: "What happened" }),
  subject: Type.String({ description: "What it happened to" }),
  actor: Type.String({ description: "User or key that acted, or system" }),
  operation: Type.String(),
  door: Type.String({ description: "http, cli, mcp, browser, or subscription" }),
  ai: Type.Boolean({ description: "Whether a program decided to do it, for whomever" }),
  requestId: Type.String(),
  data: Type.Record(Type.String(), Type.Unknown()),
  hash: Type.String({ description: "SHA-256 of the event as it was appended, hex" }),
  chainHash: Type.String({ description: "Hash of the organization's chain up to here, hex" }),
}, { description: "One event of the audit log" });
export type AuditEntry = Static<typeof AuditEntry>;

export const auditFilter = {
  type: Type.Optional(Type.String({ pattern: "^[a-z][a-z0-9.-]{0,99}$", description: "Only events of this type", examples: ["images.registered"] })),
  subject: Type.Optional(Type.String({ pattern: "^[a-z]{1,20}_[A-Za-z0-9._-]{1,100}$", description: "Only events about this id" })),
  actor: Type.Optional(Type.String({ pattern: "^[a-z]{1,20}(_[0-9a-z]{26})?$", description: "Only what this user or key did" })),
  from: Type.Optional(Type.String({ format: "date-time", description: "From this time on" })),
  to: Type.Optional(Type.String({ format: "date-time", description: "Before this time" })),
};

/**
 * The filter with its times in UTC, as PostgreSQL takes them. RFC 3339 also has a year 0, leap seconds and offsets of
 * nearly a day, which PostgreSQL has not.
 */
export function utcTimes<F extends { from?: string; to?: string }>(filter: F): F {
  return { ...filter, ...utc("from", filter.from), ...utc("to", filter.to) };
}

function utc(field: string, time: string | undefined): Record<string, string> {
  if (time === undefined) return {};
  const date = new Date(time);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) fail(InvalidInput, `/${field}: is not a time of the years 1 to 9999; leap seconds are not taken`);
  return { [field]: date.toISOString() };
}

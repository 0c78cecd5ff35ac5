import type { Advisory, Affected, AffectedRange, RangeEvent } from "../domain/advisory.ts";
import { normaliseEcosystem } from "../domain/ecosystems.ts";
import { statedSeverity, worst } from "./osv-severity.ts";

/** What an OSV record is, read. A withdrawn record is valid and says nothing any more. */
export type OsvRecord = { id: string; modified?: string } & (
  | { withdrawn: false; advisory: Advisory }
  | { withdrawn: true }
);

export interface MalformedRecord {
  /** Path inside the record: `affected[0].ranges[1].events`; empty for the record itself. */
  field: string;
  reason: string;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Checks one OSV record (schema 1.x, https://ossf.github.io/osv-schema/) and reduces it to an `Advisory`. Unknown
 * fields are ignored, and null is held absent. Entries without a package and ranges of git commits are left out:
 * no component can be compared with them. A `modified` of year 1, Go's zero time, is held absent.
 *
 * An advisory's severity is what the record states; where it states one only for some packages, theirs is the worst
 * of those, and each keeps its own.
 */
export function readOsvRecord(value: unknown): OsvRecord | MalformedRecord {
  try {
    return record(objectAt(value, ""));
  } catch (error) {
    if (error instanceof Malformed) return { field: error.field, reason: error.message };
    throw error;
  }
}

/** Never leaves this file. */
class Malformed extends Error {
  readonly field: string;

  constructor(field: string, reason: string) {
    super(reason);
    this.field = field;
  }
}

function record(json: Json): OsvRecord {
  const schemaVersion = optionalText(json, "schema_version", "");
  if (schemaVersion !== undefined && !/^1\.\d/.test(schemaVersion)) {
    throw new Malformed("schema_version", `"${schemaVersion}" is not supported, only 1.x is`);
  }
  const id = name(json, "id", "", longestName.id);
  const modified = time(json, "modified", true);
  const published = time(json, "published", false);
  const withdrawn = time(json, "withdrawn", false);
  const when = modified ?? published;
  const common = { id, ...(when !== undefined && { modified: when }) };
  const affected = list(json, "affected", "").flatMap((item, at) => affectedEntry(item, `affected[${at}]`));
  const aliases = [...new Set([...names(json, "aliases"), ...names(json, "upstream")])];
  if (withdrawn !== undefined) return { ...common, withdrawn: true };
  const stated = statedSeverity(json) ?? worst(affected.flatMap((entry) => (entry.severity ? [withSeverity(entry)] : [])));
  const summary = optionalText(json, "summary", "");
  return {
    ...common,
    withdrawn: false,
    advisory: {
      id,
      aliases: aliases.filter((alias) => alias !== id),
      ...(summary !== undefined && { summary }),
      severity: stated?.severity ?? "unknown",
      ...(stated?.vector !== undefined && { vector: stated.vector }),
      ...(published !== undefined && { published }),
      ...(modified !== undefined && { modified }),
      affected,
    },
  };
}

function withSeverity({ severity = "unknown", vector }: Affected) {
  return { severity, ...(vector !== undefined && { vector }) };
}

function affectedEntry(value: unknown, at: string): Affected[] {
  const json = objectAt(value, at);
  const ranges = list(json, "ranges", at).flatMap((item, index) => range(item, `${at}.ranges[${index}]`));
  const versions = texts(json, "versions", at);
  if (json["package"] === undefined || json["package"] === null) return [];
  const target = objectAt(json["package"], `${at}.package`);
  const stated = statedSeverity(json);
  return [
    {
      ecosystem: normaliseEcosystem(name(target, "ecosystem", `${at}.package`, longestName.ecosystem)),
      package: name(target, "name", `${at}.package`, longestName.package),
      ranges,
      versions,
      ...stated,
    },
  ];
}

function range(value: unknown, at: string): AffectedRange[] {
  const json = objectAt(value, at);
  const type = text(json, "type", at);
  if (type !== "SEMVER" && type !== "ECOSYSTEM" && type !== "GIT") {
    throw new Malformed(`${at}.type`, `"${type}" is none of SEMVER, ECOSYSTEM and GIT`);
  }
  const events = list(json, "events", at).map((item, index) => event(item, `${at}.events[${index}]`));
  if (!events.some(({ introduced }) => introduced !== undefined)) {
    throw new Malformed(`${at}.events`, "no event says where the problem was introduced");
  }
  return type === "GIT" ? [] : [{ type, events }];
}

const eventFields = [
  ["introduced", "introduced"],
  ["fixed", "fixed"],
  ["last_affected", "lastAffected"],
  ["limit", "limit"],
] as const;

function event(value: unknown, at: string): RangeEvent {
  const json = objectAt(value, at);
  const given = eventFields.filter(([written]) => json[written] !== undefined && json[written] !== null);
  const [only] = given;
  if (only === undefined || given.length > 1) {
    throw new Malformed(at, "an event needs exactly one of introduced, fixed, last_affected and limit");
  }
  return { [only[1]]: text(json, only[0], at) };
}

const longestText = 65_536;

function text(json: Json, key: string, at: string): string {
  const found = optionalText(json, key, at);
  if (found === undefined || found === "") throw new Malformed(path(at, key), "is missing");
  return found;
}

/** In bytes of UTF-8: what is looked up by an index must fit one of its rows, 2,704 bytes at most. */
const longestName = { id: 500, ecosystem: 200, package: 1_000 };

function name(json: Json, key: string, at: string, longest: number): string {
  return checkedName(text(json, key, at), path(at, key), longest);
}

function names(json: Json, key: string): string[] {
  return texts(json, key, "").map((item, index) => checkedName(item, `${key}[${index}]`, longestName.id));
}

function checkedName(value: string, at: string, longest: number): string {
  if (Buffer.byteLength(value) > longest) throw new Malformed(at, `is longer than ${longest} bytes`);
  return value;
}

function optionalText(json: Json, key: string, at: string): string | undefined {
  const value = json[key];
  if (value === undefined || value === null) return undefined;
  return checkedText(value, path(at, key));
}

function checkedText(value: unknown, at: string): string {
  if (typeof value !== "string") throw new Malformed(at, "is not a string");
  if (value.length > longestText) throw new Malformed(at, `is longer than ${longestText} characters`);
  if (value.includes("\0")) throw new Malformed(at, "holds a NUL character");
  if (!value.isWellFormed()) throw new Malformed(at, "holds half of a surrogate pair, which is no character");
  return value;
}

function texts(json: Json, key: string, at: string): string[] {
  return list(json, key, at).map((item, index) => checkedText(item, `${path(at, key)}[${index}]`));
}

function list(json: Json, key: string, at: string): unknown[] {
  const value = json[key];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Malformed(path(at, key), "is not a list");
  return value;
}

function time(json: Json, key: string, required: boolean): string | undefined {
  const value = required ? text(json, key, "") : optionalText(json, key, "");
  if (value === undefined) return undefined;
  const at = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(at) && value.startsWith("0001-")) return undefined;
  const year = new Date(at).getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) throw new Malformed(key, `"${value.slice(0, 40)}" is not a time of RFC 3339`);
  return new Date(at).toISOString();
}

function objectAt(value: unknown, at: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Malformed(at, "is not an object");
  return value as Json;
}

function path(at: string, key: string): string {
  return at === "" ? key : `${at}.${key}`;
}

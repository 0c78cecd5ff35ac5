import { join, resolve } from "node:path";
import { Type, type Static, type TSchema } from "typebox";
import { faultsAgainst } from "./operation/validate.ts";

interface Setting {
  schema: TSchema;
  /** Absent: derived from other settings, or off. */
  fallback?: string;
  description: string;
  secret?: boolean;
}

function setting(schema: TSchema, description: string, more: { fallback?: string; secret?: boolean } = {}): Setting {
  return { schema, description, ...more };
}

const url = (schemes: string) => Type.String({ pattern: `^(${schemes})`, maxLength: 2_000 });

/** Every setting there is, by its environment variable. Parsed once, at start. */
export const settings = {
  HOST: setting(Type.String({ pattern: "^[0-9A-Za-z.:_-]+$" }), "Address to listen on", { fallback: "127.0.0.1" }),
  PORT: setting(Type.String({ pattern: "^([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$" }), "Port to listen on; 0 takes a free one", { fallback: "8080" }),
  DATA_DIR: setting(Type.String({ minLength: 1 }), "Folder of the embedded database, keys and blobs"),
  DATABASE_URL: setting(url("embedded$|postgres://|postgresql://"), "embedded, or the postgres:// URL of a role that may create roles", { fallback: "embedded", secret: true }),
  DATABASE_APP_URL: setting(url("postgres://|postgresql://"), "Role that serves tenants, where roles are made beforehand", { secret: true }),
  DATABASE_SYSTEM_URL: setting(url("postgres://|postgresql://"), "Role with BYPASSRLS, where roles are made beforehand", { secret: true }),
  DATABASE_POOL: setting(Type.String({ pattern: "^[1-9][0-9]{0,2}$" }), "Most connections for tenants", { fallback: "16" }),
  DATABASE_POOLER: setting(Type.Union([Type.Literal("none"), Type.Literal("transaction")]), "transaction: behind a pooler, so named statements are off", { fallback: "none" }),
  BLOBS_URL: setting(url("file:"), "Where blobs lie; file: alone means DATA_DIR/blobs", { fallback: "file:" }),
  SECRETS_URL: setting(url("file:"), "Where keys lie; file: alone means DATA_DIR/keys", { fallback: "file:" }),
  EVENTS_URL: setting(url("postgres$"), "Bus that events are relayed to", { fallback: "postgres" }),
  POLICY_URL: setting(url("wasm$"), "Engine that decides policies", { fallback: "wasm" }),
  OSV_URL: setting(url("https?://"), "Where feeds sync osv reads from", { fallback: "https://osv-vulnerabilities.storage.googleapis.com" }),
  JWT_ISSUERS: setting(Type.String(), "JSON list of {issuer, audience, algorithms, jwksUrl} whose tokens are accepted", { fallback: "[]" }),
  PUBLIC_URL: setting(url("https?://"), "Address by which people reach the platform; https makes cookies secure"),
  RATE_LIMIT: setting(Type.String({ pattern: "^[1-9][0-9]{0,6}$" }), "Requests a second of one user or key", { fallback: "1000" }),
  LOG_LEVEL: setting(Type.Union(["fatal", "error", "warn", "info", "debug", "trace"].map((level) => Type.Literal(level))), "Least severe level that is logged", { fallback: "info" }),
} as const satisfies Record<string, Setting>;

type Name = keyof typeof settings;

const JwtIssuers = Type.Array(Type.Object({
  issuer: Type.String({ minLength: 1 }),
  audience: Type.String({ minLength: 1 }),
  algorithms: Type.Array(Type.Union(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"].map((name) => Type.Literal(name))), { minItems: 1 }),
  jwksUrl: Type.String({ pattern: "^https?://" }),
}, { additionalProperties: false }));

export interface Config {
  host: string;
  port: number;
  dataDir: string;
  database: { url: string; appUrl?: string; systemUrl?: string; pool: number; preparedStatements: boolean };
  blobsDir: string;
  keysDir: string;
  osvUrl: string;
  jwtIssuers: Static<typeof JwtIssuers>;
  publicUrl?: string;
  rateLimit: number;
  logLevel: string;
}

/** A wrong setting, or several: each with its name, what is wrong and what it may be. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(faults.join("\n"));
    this.name = "ConfigError";
    this.faults = faults;
  }
}

export type Environment = Record<string, string | undefined>;

/** Reads the settings from the environment. `home` is where a checkout keeps its data unless DATA_DIR says otherwise. */
export function parseConfig(env: Environment, defaultDataDir: string): Config {
  const values = effective(env, defaultDataDir);
  const faults: string[] = [];
  for (const [name, { schema, description, secret }] of Object.entries(settings) as [Name, Setting][]) {
    const value = values[name];
    if (value === undefined) continue;
    const [fault] = faultsAgainst(schema, value);
    if (fault === undefined) continue;
    const shown = secret === true ? "its value (not shown)" : JSON.stringify(value);
    faults.push(`${name}: ${shown} is not allowed. ${description}${expected(schema)}.`);
  }
  const issuers = parseIssuers(values.JWT_ISSUERS ?? "[]", faults);
  if ((values.DATABASE_APP_URL === undefined) !== (values.DATABASE_SYSTEM_URL === undefined)) {
    faults.push("DATABASE_APP_URL and DATABASE_SYSTEM_URL: give both, where the roles are made beforehand, or neither.");
  }
  if (faults.length > 0) throw new ConfigError(faults);
  const dataDir = resolve(values.DATA_DIR as string);
  return {
    host: values.HOST as string, port: Number(values.PORT), dataDir,
    database: {
      url: values.DATABASE_URL as string, pool: Number(values.DATABASE_POOL), preparedStatements: values.DATABASE_POOLER === "none",
      ...(values.DATABASE_APP_URL === undefined ? {} : { appUrl: values.DATABASE_APP_URL, systemUrl: values.DATABASE_SYSTEM_URL as string }),
    },
    blobsDir: folder(values.BLOBS_URL as string, join(dataDir, "blobs")),
    keysDir: folder(values.SECRETS_URL as string, join(dataDir, "keys")),
    osvUrl: (values.OSV_URL as string).replace(/\/+$/, ""),
    jwtIssuers: issuers, rateLimit: Number(values.RATE_LIMIT), logLevel: values.LOG_LEVEL as string,
    ...(values.PUBLIC_URL === undefined ? {} : { publicUrl: values.PUBLIC_URL }),
  };
}

/** Each setting with its effective value, secrets masked, and where it came from: what `qinfra config` prints. */
export function describeConfig(env: Environment, defaultDataDir: string): { name: string; value: string; from: "environment" | "default" | "unset"; description: string }[] {
  const values = effective(env, defaultDataDir);
  return (Object.entries(settings) as [Name, Setting][]).map(([name, { description, secret }]) => {
    const value = values[name];
    const from = env[name] !== undefined && env[name] !== "" ? "environment" : value === undefined ? "unset" : "default";
    return { name, value: value === undefined ? "" : secret === true && value !== "embedded" ? masked(value) : value, from, description };
  });
}

function effective(env: Environment, defaultDataDir: string): Partial<Record<Name, string>> {
  const entries = (Object.entries(settings) as [Name, Setting][]).map(([name, { fallback }]) => [name, env[name] === "" ? fallback : (env[name] ?? fallback)]);
  const values = Object.fromEntries(entries) as Partial<Record<Name, string>>;
  values.DATA_DIR ??= defaultDataDir;
  return values;
}

function masked(value: string): string {
  try {
    const parsed = new URL(value);
    if (parsed.password !== "") parsed.password = "****";
    return parsed.toString();
  } catch {
    return "****";
  }
}

function folder(value: string, fallback: string): string {
  const path = value.slice("file:".length).replace(/^\/\//, "");
  return path === "" ? fallback : resolve(path);
}

function expected(schema: TSchema): string {
  const { anyOf, pattern } = schema as { anyOf?: { const: string }[]; pattern?: string };
  if (anyOf !== undefined) return `: one of ${anyOf.map((option) => option.const).join(", ")}`;
  return pattern === undefined ? "" : `; it must match ${pattern}`;
}

function parseIssuers(text: string, faults: string[]): Static<typeof JwtIssuers> {
  try {
    const value: unknown = JSON.parse(text);
    const [fault] = faultsAgainst(JwtIssuers, value);
    if (fault === undefined) return value as Static<typeof JwtIssuers>;
    faults.push(`JWT_ISSUERS: ${fault.path} ${fault.message}.`);
  } catch (error) {
    faults.push(`JWT_ISSUERS: is not JSON (${(error as Error).message}).`);
  }
  return [];
}

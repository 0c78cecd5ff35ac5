import { join, resolve } from "node:path";
import { Type, type Static, type TSchema } from "typebox";
import ipaddr from "ipaddr.js";
import { parseSmtpUrl, type SmtpServer } from "./mail/smtp-url.ts";
import { faultsAgainst } from "./operation/validate.ts";
import { settings, type Setting } from "./settings.ts";
import { temporalAddress } from "./workflow/engines/temporal/address.ts";

type Name = keyof typeof settings;

const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] as const;

/** One external issuer. With `client` people sign in there; with `roles` its claims make memberships. */
const Issuer = Type.Object({
  issuer: Type.String({ minLength: 1 }),
  audience: Type.String({ minLength: 1 }),
  algorithms: Type.Array(Type.Union(algorithms.map((name) => Type.Literal(name))), { minItems: 1 }),
  jwksUrl: Type.String({ pattern: "^https?://" }),
  /** Shown on the button of the sign-in page. */
  label: Type.Optional(Type.String({ minLength: 1, maxLength: 40 })),
  client: Type.Optional(Type.Object({ id: Type.String({ minLength: 1 }), secret: Type.Optional(Type.String({ minLength: 1 })) }, { additionalProperties: false })),
  roles: Type.Optional(Type.Object({
    /** Path of the claim that lists groups or roles: `realm_access.roles`. */
    claim: Type.String({ minLength: 1, maxLength: 200 }),
    /** A value of the claim, and the role that it gives. The widest of several counts. */
    map: Type.Record(Type.String(), Type.Union(["admin", "operator", "viewer", "auditor"].map((role) => Type.Literal(role)))),
    /** Slug of the organization of which the person becomes a member. */
    organization: Type.String({ minLength: 1, maxLength: 63 }),
  }, { additionalProperties: false })),
  /** A claim that tells of a second factor, and the values that do: {"claim":"amr","values":["mfa","otp"]}. */
  secondFactor: Type.Optional(Type.Object({ claim: Type.String({ minLength: 1 }), values: Type.Array(Type.String(), { minItems: 1 }) }, { additionalProperties: false })),
}, { additionalProperties: false });

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Quotas = Type.Object({ assets: Type.Optional(Count), images: Type.Optional(Count), scans: Type.Optional(Count), storage: Type.Optional(Count) }, { additionalProperties: false });
const Retention = Type.Record(Type.String({ pattern: "^[a-z_]+[.][a-z_]+$" }), Type.Integer({ minimum: 1, maximum: 1_200 }));

export type JwtIssuerSetting = Static<typeof Issuer>;
export type DefaultQuotas = Static<typeof Quotas>;

export interface Config {
  host: string;
  port: number;
  publicUrl?: string;
  /** Files; `ca` asks callers for a certificate. */
  tls?: { cert: string; key: string; ca?: string };
  /** Addresses and networks. */
  trustedProxies: readonly string[];
  dataDir: string;
  database: { url: string; appUrl?: string; systemUrl?: string; readUrl?: string; directUrl?: string; pool: number; preparedStatements: boolean };
  /** `file:` or `s3://...`; the folder counts for `file:`. */
  blobsUrl: string;
  blobsDir: string;
  cacheUrl: string;
  /** `file:`, `vault:...` or `aws-kms:...`; the folder counts for `file:`. */
  secretsUrl: string;
  keysDir: string;
  vault: { token?: string; tokenFile?: string };
  policyUrl: string;
  /** `postgres`, `nats://...` or `kafka://...`. */
  eventsUrl: string;
  /** `dbos` or `temporal://...`. */
  workflowsUrl: string;
  osvUrl: string;
  /** Sites may have hosts at loopback and link-local addresses. */
  scanLocalAddresses: boolean;
  jwtIssuers: readonly JwtIssuerSetting[];
  localSignIn: boolean;
  rateLimit: number;
  quotas: DefaultQuotas;
  deletionGraceDays: number;
  /** Months that a table keeps its rows, by `schema.table`. */
  retention: Readonly<Record<string, number>>;
  traces?: { endpoint: string; share: number };
  /** Mail server, and the sender of what goes there. */
  mail?: { server: SmtpServer; from: string };
  /** Addresses and networks that are not public and that URLs of organizations may reach. */
  notifyPrivate: readonly string[];
  /** Before the server takes no new connections. */
  drainSeconds: number;
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
  const issuers = parseJson("JWT_ISSUERS", Type.Array(Issuer), values.JWT_ISSUERS, faults) ?? [];
  const quotas = parseJson("QUOTAS", Quotas, values.QUOTAS, faults) ?? {};
  const retention = parseJson("RETENTION", Retention, values.RETENTION, faults) ?? {};
  const trustedProxies = parseNetworks("TRUSTED_PROXIES", values.TRUSTED_PROXIES ?? "", faults);
  const notifyPrivate = parseNetworks("NOTIFY_PRIVATE", values.NOTIFY_PRIVATE ?? "", faults);
  const mail = parseMail(values.SMTP_URL, values.SMTP_FROM, faults);
  checkTemporal(values.WORKFLOWS_URL, faults);
  if ((values.DATABASE_APP_URL === undefined) !== (values.DATABASE_SYSTEM_URL === undefined)) {
    faults.push("DATABASE_APP_URL and DATABASE_SYSTEM_URL: give both, where the roles are made beforehand, or neither.");
  }
  if ((values.TLS_CERT === undefined) !== (values.TLS_KEY === undefined)) faults.push("TLS_CERT and TLS_KEY: give both or neither.");
  if (values.TLS_CA !== undefined && values.TLS_CERT === undefined) faults.push("TLS_CA: needs TLS_CERT and TLS_KEY.");
  if (faults.length > 0) throw new ConfigError(faults);
  const dataDir = resolve(values.DATA_DIR as string);
  const blobsUrl = values.BLOBS_URL as string;
  const secretsUrl = values.SECRETS_URL as string;
  return {
    host: values.HOST as string, port: Number(values.PORT), dataDir, trustedProxies,
    ...given("publicUrl", values.PUBLIC_URL),
    ...(values.TLS_CERT === undefined ? {} : { tls: { cert: resolve(values.TLS_CERT), key: resolve(values.TLS_KEY as string), ...given("ca", values.TLS_CA) } }),
    database: {
      url: values.DATABASE_URL as string, pool: Number(values.DATABASE_POOL), preparedStatements: values.DATABASE_POOLER === "none",
      ...given("appUrl", values.DATABASE_APP_URL), ...given("systemUrl", values.DATABASE_SYSTEM_URL),
      ...given("readUrl", values.DATABASE_READ_URL), ...given("directUrl", values.DATABASE_DIRECT_URL),
    },
    blobsUrl, blobsDir: folder(blobsUrl, join(dataDir, "blobs")),
    cacheUrl: values.CACHE_URL as string,
    secretsUrl, keysDir: folder(secretsUrl, join(dataDir, "keys")),
    vault: { ...given("token", values.VAULT_TOKEN), ...given("tokenFile", values.VAULT_TOKEN_FILE) },
    policyUrl: values.POLICY_URL as string, eventsUrl: values.EVENTS_URL as string, workflowsUrl: values.WORKFLOWS_URL as string,
    osvUrl: (values.OSV_URL as string).replace(/\/+$/, ""), scanLocalAddresses: values.SCAN_LOCAL_ADDRESSES === "allow",
    jwtIssuers: issuers, localSignIn: values.LOCAL_SIGN_IN === "on",
    rateLimit: Number(values.RATE_LIMIT), quotas, deletionGraceDays: Number(values.DELETION_GRACE_DAYS), retention,
    ...(values.OTEL_EXPORTER_OTLP_ENDPOINT === undefined ? {} : { traces: { endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/+$/, ""), share: Number(values.OTEL_TRACES_SAMPLER_ARG) } }),
    ...(mail === undefined ? {} : { mail }), notifyPrivate,
    drainSeconds: Number(values.DRAIN_SECONDS),
    logLevel: values.LOG_LEVEL as string,
  };
}

function checkTemporal(url: string | undefined, faults: string[]): void {
  if (url?.startsWith("temporal") !== true || faults.some((fault) => fault.startsWith("WORKFLOWS_URL:"))) return;
  try {
    temporalAddress(url);
  } catch (error) {
    faults.push(`WORKFLOWS_URL: ${(error as Error).message}`);
  }
}

function given<K extends string>(name: K, value: string | undefined): { [P in K]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: string });
}

/** Each setting with its effective value, secrets masked, and where it came from: what `qinfra config` prints. */
export function describeConfig(env: Environment, defaultDataDir: string): { name: string; value: string; from: "environment" | "default" | "unset"; description: string }[] {
  const values = effective(env, defaultDataDir);
  return (Object.entries(settings) as [Name, Setting][]).map(([name, { description, secret }]) => {
    const value = values[name];
    const from = env[name] !== undefined && env[name] !== "" ? "environment" : value === undefined ? "unset" : "default";
    return { name, value: value === undefined ? "" : secret === true && value !== settings[name].fallback ? masked(value) : value, from, description };
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
  if (!value.startsWith("file:")) return fallback;
  const path = value.slice("file:".length).replace(/^\/\//, "");
  return path === "" ? fallback : resolve(path);
}

function expected(schema: TSchema): string {
  const { anyOf, description } = schema as { anyOf?: { const: string }[]; description?: string };
  if (anyOf !== undefined) return `: one of ${anyOf.map((option) => option.const).join(", ")}`;
  return description === undefined ? "" : `; it must be ${description}`;
}

function parseJson<S extends TSchema>(name: Name, schema: S, text: string | undefined, faults: string[]): Static<S> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    const [fault] = faultsAgainst(schema, value);
    if (fault === undefined) return value as Static<S>;
    faults.push(`${name}: ${fault.path} ${fault.message}.`);
  } catch {
    // What is wrong is not quoted: the text may hold a secret.
    faults.push(`${name}: is not JSON.`);
  }
  return undefined;
}

function parseMail(url: string | undefined, from: string | undefined, faults: string[]): Config["mail"] {
  if ((url === undefined) !== (from === undefined)) faults.push("SMTP_URL and SMTP_FROM: give both or neither.");
  if (url === undefined || from === undefined) return undefined;
  try {
    return { server: parseSmtpUrl(url), from };
  } catch (error) {
    faults.push(`SMTP_URL: ${(error as Error).message}.`);
    return undefined;
  }
}

function parseNetworks(name: Name, text: string, faults: string[]): string[] {
  const networks = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  const wrong = networks.find((network) => !ipaddr.isValid(network) && !ipaddr.isValidCIDR(network));
  if (wrong !== undefined) faults.push(`${name}: ${JSON.stringify(wrong)} is neither an address nor a network such as 10.0.0.0/8.`);
  return networks;
}

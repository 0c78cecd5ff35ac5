import { Type, type TSchema } from "typebox";

export interface Setting {
  schema: TSchema;
  /** Absent: derived from other settings, or off. */
  fallback?: string;
  description: string;
  secret?: boolean;
}

function setting(schema: TSchema, description: string, more: { fallback?: string; secret?: boolean } = {}): Setting {
  return { schema, description, ...more };
}

// The description of a schema says what its value must be, where it is refused.
const url = (schemes: string) => Type.String({ pattern: `^(${schemes})`, maxLength: 2_000, description: schemesText(schemes) });
const whole = (digits: number) => Type.String({ pattern: `^[1-9][0-9]{0,${digits - 1}}$`, description: `a whole number from 1 to ${"9".repeat(digits)}` });
const oneOf = (...values: string[]) => Type.Union(values.map((value) => Type.Literal(value)));
const postgres = url("postgres://|postgresql://");
const path = Type.String({ minLength: 1, maxLength: 4_096 });

/** `memory$|redis://` as people read it: `memory or redis://...`. */
function schemesText(schemes: string): string {
  const each = schemes.split("|").map((scheme) => (scheme.endsWith("$") ? scheme.slice(0, -1) : `${scheme.replace("https?", "https")}...`));
  return each.length === 1 ? each.join("") : `${each.slice(0, -1).join(", ")} or ${each.at(-1) ?? ""}`;
}

/** Every setting there is, by its environment variable. Parsed once, at start. */
export const settings = {
  HOST: setting(Type.String({ pattern: "^[0-9A-Za-z.:_-]+$", description: "a name or an address, without a port" }), "Address to listen on", { fallback: "127.0.0.1" }),
  PORT: setting(Type.String({ pattern: "^([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$", description: "a whole number from 0 to 65535" }), "Port to listen on; 0 takes a free one", { fallback: "8080" }),
  PUBLIC_URL: setting(url("https?://"), "Address by which people reach the platform; https makes cookies secure"),
  TLS_CERT: setting(path, "PEM file of the server's certificate, with its chain; the server then speaks TLS 1.3 only"),
  TLS_KEY: setting(path, "PEM file of the private key of TLS_CERT"),
  TLS_CA: setting(path, "PEM file of the private network's authority: callers must show a certificate of it, and engines are checked against it and shown TLS_CERT"),
  TRUSTED_PROXIES: setting(Type.String({ maxLength: 2_000 }), "Addresses or networks (10.0.0.0/8), separated by commas, whose X-Forwarded-For is believed", { fallback: "" }),
  DATA_DIR: setting(Type.String({ minLength: 1 }), "Folder of the embedded database, keys and blobs"),
  DATABASE_URL: setting(url("embedded$|postgres://|postgresql://"), "embedded, or the postgres:// URL of a role that may create roles", { fallback: "embedded", secret: true }),
  DATABASE_APP_URL: setting(postgres, "Role that serves tenants, where roles are made beforehand", { secret: true }),
  DATABASE_SYSTEM_URL: setting(postgres, "Role with BYPASSRLS, where roles are made beforehand", { secret: true }),
  DATABASE_READ_URL: setting(postgres, "A streaming replica, for reads that may be a little old. Host, port, database and sslmode count; roles and passwords are those of the primary", { secret: true }),
  DATABASE_DIRECT_URL: setting(postgres, "Past the pooler, for what needs a session: migrations, LISTEN, locks. Host, port, database and sslmode count; roles and passwords are those of the other URLs", { secret: true }),
  DATABASE_POOL: setting(whole(3), "Most connections for tenants", { fallback: "16" }),
  DATABASE_POOLER: setting(oneOf("none", "transaction"), "transaction: behind a pooler, so named statements are off", { fallback: "none" }),
  BLOBS_URL: setting(url("file:|s3://"), "Where blobs lie: file: (alone it means DATA_DIR/blobs), or s3://bucket/prefix?region=...&endpoint=...; credentials as AWS tools take them", { fallback: "file:" }),
  CACHE_URL: setting(url("memory$|redis://|rediss://"), "Second level of the cache, and where rate limits are counted: memory, or redis://", { fallback: "memory", secret: true }),
  SECRETS_URL: setting(url("file:|vault:https?://|aws-kms:"), "Where keys lie: file: (alone it means DATA_DIR/keys), vault:https://host:8200?transit=transit&kv=secret, or aws-kms:alias/name?region=...", { fallback: "file:" }),
  VAULT_TOKEN: setting(Type.String({ minLength: 1, maxLength: 4_096 }), "Token for SECRETS_URL=vault:", { secret: true }),
  VAULT_TOKEN_FILE: setting(path, "File that holds the token for SECRETS_URL=vault:, read again when it changes"),
  EVENTS_URL: setting(url("postgres$|nats://|kafka://"), "Where events go out to: postgres (the log itself), nats://host:port (JetStream) or kafka://host:port", { fallback: "postgres", secret: true }),
  WORKFLOWS_URL: setting(url("dbos$|temporal://|temporals://"), "Engine that runs workflows: dbos (in the platform's own PostgreSQL), or temporal://host:port/namespace", { fallback: "dbos", secret: true }),
  POLICY_URL: setting(url("wasm$|opa:https?://"), "Engine that decides policies: wasm, or opa:http://host:8181 for an organization's own Rego", { fallback: "wasm" }),
  OSV_URL: setting(url("https?://"), "Where feeds sync osv reads from", { fallback: "https://osv-vulnerabilities.storage.googleapis.com" }),
  SCAN_LOCAL_ADDRESSES: setting(oneOf("refuse", "allow"), "allow: hosts of sites may have loopback and link-local addresses, which are those of the server itself and of its cloud", { fallback: "refuse" }),
  JWT_ISSUERS: setting(Type.String(), "JSON list of issuers whose tokens are accepted; docs/guides/sign-in.md describes the members", { fallback: "[]", secret: true }),
  LOCAL_SIGN_IN: setting(oneOf("on", "off"), "off: people sign in at an external issuer only", { fallback: "on" }),
  RATE_LIMIT: setting(whole(7), "Requests a second of one user or key", { fallback: "1000" }),
  SMTP_URL: setting(url("smtp://|smtps://"), "Mail server for notifications: smtps://user:password@host:465, or smtp://user:password@host:587, which must offer STARTTLS; ?tls=none for one that needs neither", { secret: true }),
  SMTP_FROM: setting(Type.String({ minLength: 3, maxLength: 320, pattern: "^[^\\r\\n]*[^@<>\\s]+@[^@<>\\s]+>?$", description: "an address, such as QL-RF <qinfra@example.org>" }), "Sender of what is sent by SMTP_URL"),
  NOTIFY_PRIVATE: setting(Type.String({ maxLength: 2_000 }), "Addresses or networks (10.1.2.0/24), separated by commas, that webhooks and other URLs given by organizations may reach although they are not public", { fallback: "" }),
  QUOTAS: setting(Type.String(), 'Default quotas of an organization as JSON, for example {"assets":10000,"images":1000,"scans":5000,"storage":1000000000}: scans a day, storage in bytes', { fallback: "{}" }),
  DELETION_GRACE_DAYS: setting(Type.String({ pattern: "^[0-9]{1,3}$", description: "a whole number from 0 to 999" }), "Days between the deletion of an organization and its end, in which it can be restored", { fallback: "30" }),
  RETENTION: setting(Type.String(), 'How long tables keep rows as JSON of months, for example {"events.log":13}; what is not named is kept', { fallback: "{}" }),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(url("https?://"), "Where traces are sent by OTLP over HTTP; without it none are made"),
  OTEL_TRACES_SAMPLER_ARG: setting(Type.String({ pattern: "^(0|1|0?[.][0-9]{1,6}|1[.]0{1,6})$", description: "a number from 0 to 1, of at most six decimals" }), "Share of the requests that are traced, 0 to 1", { fallback: "0.01" }),
  DRAIN_SECONDS: setting(Type.String({ pattern: "^[0-9]{1,3}$", description: "a whole number from 0 to 999" }), "How long a server that was told to stop goes on serving while /readyz says that it stops, so that a load balancer sends requests elsewhere", { fallback: "0" }),
  LOG_LEVEL: setting(oneOf("fatal", "error", "warn", "info", "debug", "trace"), "Least severe level that is logged", { fallback: "info" }),
} as const satisfies Record<string, Setting>;


import { describe, expect, it } from "vitest";
import { ConfigError, describeConfig, parseConfig } from "./config.ts";

describe("configuration", () => {
  it("needs nothing to be set", () => {
    expect(parseConfig({}, "/data")).toMatchObject({ host: "127.0.0.1", port: 8080, dataDir: "/data", keysDir: "/data/keys", database: { url: "embedded", pool: 16 }, workflowsUrl: "dbos" });
  });

  it.each([
    [{ PORT: "80800" }, 'PORT: "80800" is not allowed'],
    [{ PORT: "http" }, "it must be a whole number from 0 to 65535"],
    [{ CACHE_URL: "memcached://h" }, "it must be memory, redis://... or rediss://..."],
    [{ PUBLIC_URL: "qinfra.example" }, "it must be https://..."],
    [{ QUOTAS: '{"assetts":1}' }, "QUOTAS: /assetts is not a known field"],
    [{ DATABASE_URL: "mysql://u:geheim@h/d" }, "DATABASE_URL: its value (not shown) is not allowed"],
    [{ WORKFLOWS_URL: "airflow://h" }, "it must be dbos, temporal://... or temporals://..."],
    [{ WORKFLOWS_URL: "temporal://u:geheim@h/d" }, "WORKFLOWS_URL: The address of Temporal holds a user or a password"],
    [{ WORKFLOWS_URL: "temporal://h/a/b" }, "WORKFLOWS_URL: The address of Temporal has more than one namespace"],
    [{ LOG_LEVEL: "loud" }, "one of fatal, error, warn"],
    [{ JWT_ISSUERS: "{" }, "JWT_ISSUERS: is not JSON"],
    [{ JWT_ISSUERS: '[{"issuer":"i","audience":"a","algorithms":["none"],"jwksUrl":"https://i/jwks"}]' }, "JWT_ISSUERS: /0/algorithms/0"],
    [{ DATABASE_APP_URL: "postgres://a@h/d" }, "give both"],
    [{ SMTP_URL: "smtps://me:geheim@mail.example" }, "SMTP_URL and SMTP_FROM: give both or neither"],
    [{ SMTP_URL: "smtp://me:geheim@mail.example?tls=none", SMTP_FROM: "a@example.org" }, "SMTP_URL: would send its password in the clear"],
    [{ SMTP_URL: "smtps://mail.example", SMTP_FROM: "nobody" }, "it must be an address, such as QL-RF <qinfra@example.org>"],
    [{ NOTIFY_PRIVATE: "10.0.0.0/8, intranet" }, 'NOTIFY_PRIVATE: "intranet" is neither an address nor a network'],
  ])("names a wrong setting, what it may be, and never a secret: %j", (env, message) => {
    expect(() => parseConfig(env, "/data")).toThrow(message);
    expect(() => parseConfig(env, "/data")).not.toThrow("geheim");
  });

  it("names each wrong setting in one go", () => {
    expect.assertions(1);
    try {
      parseConfig({ PORT: "x", LOG_LEVEL: "y" }, "/data");
    } catch (error) {
      expect((error as ConfigError).faults).toHaveLength(2);
    }
  });

  it("prints the effective settings with secrets masked", () => {
    const shown = describeConfig({ DATABASE_URL: "postgres://qinfra:geheim@db:5432/qinfra" }, "/data");
    expect(shown.find((setting) => setting.name === "DATABASE_URL")).toMatchObject({ value: "postgres://qinfra:****@db:5432/qinfra", from: "environment" });
    expect(JSON.stringify(shown)).not.toContain("geheim");
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createPrivateBodies } from "../platform/events/index.ts";
import { createIds } from "../platform/ids.ts";
import { openSecrets } from "../platform/secrets/index.ts";
import type { OpenedSecrets } from "../platform/secrets/types.ts";
import { startSimulatedVault, type SimulatedVault } from "../platform/secrets/testing/simulated-vault.ts";
import { testDatabase, type TestDatabase } from "../platform/testing/database.ts";
import { ensureFirstAdministrator } from "../modules/organizations/index.ts";
import { createDataKeys } from "./data-keys.ts";
import { rewrapAll } from "./rewrap.ts";
import { sealedColumns, sealedOtherwise } from "./sealed-columns.ts";

const clock = { now: Date.now };
const ids = createIds(clock);
const totpSecret = Buffer.from("a totp secret of 20b");
const oidcKey = '{"kty":"EC","d":"the private part of a key of the provider"}';
const siteKey = "the private key of a site";
const channelSecret = "the secret of a channel";
const orgs = [ids.uuid(), ids.uuid()];
const subjects = Array.from({ length: 25 }, (_, i) => `usr_${i}`);

let base: string;
let vault: SimulatedVault;
let made = 0;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "qinfra-rewrap-"));
  vault = await startSimulatedVault();
});
afterAll(async () => {
  await vault.stop();
  await rm(base, { recursive: true, force: true });
});

interface Filled {
  test: TestDatabase;
  superuser: pg.Client;
  secrets: OpenedSecrets;
  /** What must stand nowhere in the database. */
  plain: Map<string, Buffer>;
}

async function opened(secretsUrl: string, more: { identity?: ReturnType<OpenedSecrets["identity"]> } = {}): Promise<OpenedSecrets> {
  const secrets = await openSecrets({ secretsUrl, keysDir: join(base, `keys-${made++}`), vault: { token: vault.token } }, { dataExists: false, clock, ...more });
  onTestFinished(() => secrets.close());
  return secrets;
}

/** A database with something in each sealed column, as the platform puts it there. */
async function filled(): Promise<Filled> {
  const test = await testDatabase();
  const superuser = await test.connect("superuser");
  onTestFinished(async () => {
    await superuser.end();
    await test.close();
  });
  const secrets = await opened("file:");
  const { database } = test;
  const first = await ensureFirstAdministrator(database, { clock, ids, secrets, appender: () => ({ append: async () => "id" }) as never });
  const { rows } = await superuser.query<{ id: string }>("select user_id as id from organizations.password_credentials");
  await superuser.query("insert into organizations.totp (user_id, secret, created_at) values ($1, $2, now())", [rows[0]?.id, await secrets.seal(totpSecret, { purpose: "totp" })]);
  await superuser.query("insert into organizations.oidc_keys (id, sealed, created_at) values ('one', $1, now()), ('two', $2, now())", [await secrets.seal(Buffer.from(oidcKey), { purpose: "oidc-key" }), await secrets.seal(Buffer.from(oidcKey), { purpose: "oidc-key" })]);
  const [org] = orgs;
  const sealedOf = (purpose: string, text: string): Promise<string> => secrets.seal(Buffer.from(text), { purpose, org: org as string });
  await superuser.query("insert into inventory.sites (org_id, id, name, private_key, key_fingerprint, created_at) values ($1, $2, 'site', $3, 'SHA256:one', now())", [org, ids.uuid(), await sealedOf("site-key", siteKey)]);
  await superuser.query("insert into notifications.channels (org_id, id, name, kind, enabled, recipients, sealed, failures, created_at, updated_at) values ($1, $2, 'channel', 'webhook', true, '{}', $3, 0, now(), now())", [
    org, ids.uuid(), await sealedOf("notification-channel", channelSecret),
  ]);
  const plain = new Map<string, Buffer>([
    ["private key of a site", Buffer.from(siteKey)], ["secret of a channel", Buffer.from(channelSecret)],
    ["one-time password", Buffer.from(first.unspent?.oneTimePassword ?? "")], ["TOTP secret", totpSecret], ["provider's key", Buffer.from("the private part of a key")],
    ["root", Buffer.from(secrets.identity().root, "base64")], ["signing seed", Buffer.from(secrets.identity().signing.seed, "base64")],
    ["body about a person", Buffer.from("Ada from 192.0.2.7")],
    ["database password", Buffer.from(secrets.derive("database-role qinfra_app").toString("base64url"))],
  ]);
  const dataKeys = createDataKeys({ database, secrets, clock, ids });
  for (const org of orgs) plain.set(`data key of ${org}`, (await dataKeys.of(org)).key);
  const bodies = createPrivateBodies(secrets);
  for (const [i, subject] of subjects.entries()) {
    const org = orgs[i % 2] as string;
    const event = ids.uuid();
    const { envelope } = await database.tenant(org, (db) => bodies.seal(db, org, event, subject, { note: "Ada from 192.0.2.7" }));
    await superuser.query("insert into events.private (org_id, event_id, subject_id, body) values ($1, $2, $3, $4)", [org, event, subject, envelope]);
  }
  for (const row of (await superuser.query<{ org_id: string; wrapped: string }>("select org_id, wrapped from events.subject_keys limit 5")).rows) {
    plain.set(`subject key ${plain.size}`, await secrets.unwrap(row.wrapped, { purpose: "subject-key", org: row.org_id }));
  }
  return { test, superuser, secrets, plain };
}

/** Every value of the column, which all must open with these secrets to what was put there. */
async function expectAllOpen({ superuser, test }: Filled, secrets: OpenedSecrets): Promise<void> {
  const { rows: totp } = await superuser.query<{ secret: string }>("select secret from organizations.totp");
  expect(await secrets.open(totp[0]?.secret ?? "", { purpose: "totp" })).toEqual(totpSecret);
  for (const { sealed } of (await superuser.query<{ sealed: string }>("select sealed from organizations.oidc_keys")).rows) expect((await secrets.open(sealed, { purpose: "oidc-key" })).toString()).toBe(oidcKey);
  for (const [column, purpose, text] of [["inventory.sites.private_key", "site-key", siteKey], ["notifications.channels.sealed", "notification-channel", channelSecret]] as const) {
    const [schema, table, name] = column.split(".");
    const { rows: sealed } = await superuser.query<{ envelope: string; org: string }>(`select ${name} as envelope, org_id as org from ${schema}.${table}`);
    for (const { envelope, org } of sealed) expect((await secrets.open(envelope, { purpose, org })).toString()).toBe(text);
  }
  const bodies = createPrivateBodies(secrets);
  const { rows } = await superuser.query<{ org_id: string; event_id: string }>("select org_id, event_id from events.private");
  expect(rows).toHaveLength(subjects.length);
  for (const { org_id: org, event_id: event } of rows) expect(await test.database.tenant(org, (db) => bodies.open(db, org, event))).toEqual({ note: "Ada from 192.0.2.7" });
}

async function textColumns(superuser: pg.Client): Promise<{ table: string; column: string; type: string }[]> {
  const { rows } = await superuser.query<{ table: string; column: string; type: string }>(`
    select n.nspname || '.' || c.relname as table, a.attname as column, t.typname as type from pg_attribute a
    join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace join pg_type t on t.oid = a.atttypid
    where c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped and n.nspname not in ('pg_catalog', 'information_schema')
      and t.typname in ('text', 'jsonb', 'json', 'bytea', '_text')`);
  return rows;
}

const envelopeShape = /^q[sk][12][.][a-z0-9]/;

describe("rewrapping", () => {
  it("given a rotation, then everything is under the new key, and a second run has nothing to do", async () => {
    const given = await filled();
    const { keyId } = await given.secrets.rotate();
    const first = await rewrapAll({ database: given.test.database, columns: sealedColumns, to: given.secrets });
    expect(first.map(({ column, seen, moved, failed }) => [column, seen, moved, failed.length])).toEqual([
      ["platform.data_keys.wrapped", 2, 2, 0], ["events.subject_keys.wrapped", 25, 25, 0],
      ["organizations.password_credentials.sealed", 1, 1, 0], ["organizations.totp.secret", 1, 1, 0], ["organizations.oidc_keys.sealed", 2, 2, 0],
      ["inventory.sites.private_key", 1, 1, 0], ["notifications.channels.sealed", 1, 1, 0],
    ]);
    for (const { column } of first) {
      const [schema, table, name] = column.split(".");
      const { rows } = await given.superuser.query<{ envelope: string }>(`select ${name} as envelope from ${schema}.${table} where ${name} is not null`);
      for (const { envelope } of rows) expect(envelope.split(".")[1]).toBe(keyId);
    }
    expect((await rewrapAll({ database: given.test.database, columns: sealedColumns, to: given.secrets })).map(({ moved }) => moved)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    await expectAllOpen(given, given.secrets);
  });

  it("given keys that move from a file to Vault (simulated) and to another file, then everything opens there, and what is derived and signed stays", async () => {
    const given = await filled();
    const { database } = given.test;
    const signature = await given.secrets.signer().sign(Buffer.from("checkpoint"));
    const signedBy = given.secrets.signer().keyId;
    const before = given.secrets.derive("database mark");
    const inVault = await opened(`${vault.url}?path=moving&key=moving`, { identity: given.secrets.identity() });
    const moved = await rewrapAll({ database, columns: sealedColumns, to: inVault, from: given.secrets });
    expect(moved.map((column) => [column.moved, column.failed])).toEqual([[2, []], [25, []], [1, []], [1, []], [2, []], [1, []], [1, []]]);
    await expectAllOpen(given, inVault);
    expect(inVault.derive("database mark")).toEqual(before);
    expect(inVault.verifier(signedBy)?.verify(Buffer.from("checkpoint"), signature)).toBe(true);
    await expect(given.secrets.open((await given.superuser.query("select secret from organizations.totp")).rows[0].secret, { purpose: "totp" })).rejects.toThrow("qinfra keys rewrap --from");
    await inVault.rotate();
    expect((await rewrapAll({ database, columns: sealedColumns, to: inVault })).map((column) => column.moved)).toEqual([2, 25, 1, 1, 2, 1, 1]);

    const back = await opened("file:", { identity: inVault.identity() });
    await rewrapAll({ database, columns: sealedColumns, to: back, from: inVault });
    await expectAllOpen(given, back);
    expect(back.derive("database mark")).toEqual(before);
    expect(back.verifier(signedBy)?.verify(Buffer.from("checkpoint"), signature)).toBe(true);
  });

  it("given a run that was killed in the middle, then the next one does the rest", async () => {
    const given = await filled();
    const { database } = given.test;
    const inVault = await opened(`${vault.url}?path=killed&key=killed`, { identity: given.secrets.identity() });
    let left = 12;
    const killed = sealedColumns.map((column) => ({
      ...column,
      replace(...args: Parameters<typeof column.replace>) {
        if (left-- <= 0) throw new Error("killed");
        return column.replace(...args);
      },
    }));
    await expect(rewrapAll({ database, columns: killed, to: inVault, from: given.secrets })).rejects.toThrow("killed");
    const { rows } = await given.superuser.query<{ wrapped: string }>("select wrapped from events.subject_keys");
    const done = rows.filter(({ wrapped }) => wrapped.startsWith("qk2.vault.")).length;
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(25);
    const rest = await rewrapAll({ database, columns: sealedColumns, to: inVault, from: given.secrets });
    expect(rest.find(({ column }) => column === "events.subject_keys.wrapped")).toMatchObject({ seen: 25, moved: 25 - done, failed: [] });
    await expectAllOpen(given, inVault);
  });

  it("given an envelope that was damaged, then it is named and stays, and the others move", async () => {
    const given = await filled();
    await given.superuser.query("update organizations.oidc_keys set sealed = sealed || 'A' where id = 'one'");
    await given.secrets.rotate();
    const result = (await rewrapAll({ database: given.test.database, columns: sealedColumns, to: given.secrets })).find(({ column }) => column === "organizations.oidc_keys.sealed");
    expect(result).toMatchObject({ seen: 2, moved: 1, failed: [{ key: "one", why: expect.stringMatching(/no sealed value|was changed/) }] });
  });

  it("given that Vault is away, then the run ends and says so", async () => {
    const given = await filled();
    const inVault = await opened(`${vault.url}?path=away&key=away`, { identity: given.secrets.identity() });
    vault.fault = 500;
    onTestFinished(() => void (vault.fault = undefined));
    await expect(rewrapAll({ database: given.test.database, columns: sealedColumns, to: inVault, from: given.secrets })).rejects.toMatchObject({ type: { code: "secrets-unavailable" } });
  });

  it("given the keys of another platform, then they are not mixed", async () => {
    const given = await filled();
    const url = `${vault.url}?path=taken&key=taken`;
    await opened(url);
    await expect(opened(url, { identity: given.secrets.identity() })).rejects.toMatchObject({ message: expect.stringMatching(/belongs to another platform/) });
  });
});

describe("what lies in the database", () => {
  it("has no sealed column that keys rewrap does not know", async () => {
    const given = await filled();
    const known = new Set([...sealedColumns.map(({ column }) => column), ...Object.keys(sealedOtherwise)]);
    const found = new Set<string>();
    for (const { table, column, type } of await textColumns(given.superuser)) {
      const name = `${table}.${column}`;
      if (/^(sealed|wrapped|secret|envelope|seed|private_key)$/.test(column)) found.add(name);
      if (type !== "text") continue;
      const { rows } = await given.superuser.query<{ value: string }>(`select "${column}" as value from ${table} where "${column}" ~ '^q[sk][12][.]'`);
      if (rows.some(({ value }) => envelopeShape.test(value))) found.add(name);
    }
    expect([...found].toSorted()).toEqual([...known].toSorted());
  });

  it.each(["file", "vault"])("has no plain secret in any text, JSON or bytes (keys in: %s)", async (where) => {
    const given = await filled();
    if (where === "vault") {
      const to = await opened(`${vault.url}?path=plain&key=plain`, { identity: given.secrets.identity() });
      await rewrapAll({ database: given.test.database, columns: sealedColumns, to, from: given.secrets });
    }
    const everything: { table: string; text: string }[] = [];
    for (const table of new Set((await textColumns(given.superuser)).map((column) => column.table))) {
      const { rows } = await given.superuser.query<{ text: string }>(`select t::text as text from ${table} t`);
      everything.push(...rows.map(({ text }) => ({ table, text })));
    }
    expect(everything.length).toBeGreaterThan(50);
    const faults: string[] = [];
    for (const [what, secret] of given.plain) {
      expect(secret.length, what).toBeGreaterThan(10);
      for (const shown of [secret.toString("latin1"), secret.toString("hex"), secret.toString("base64").replaceAll("=", ""), secret.toString("base64url")]) {
        for (const { table, text } of everything) if (text.includes(shown)) faults.push(`${what} in ${table}`);
      }
    }
    expect(faults).toEqual([]);
  });

  it("would be found: the search sees a secret that is planted as text, hexadecimal bytes or base64", async () => {
    const { superuser } = await filled();
    const secret = Buffer.from("a planted secret");
    await superuser.query("insert into organizations.single_use (hash, purpose, created_at, expires_at) values ($1, 'password-reset', now(), now())", [secret]);
    const { rows } = await superuser.query<{ text: string }>("select t::text as text from organizations.single_use t");
    expect(rows[0]?.text).toContain(secret.toString("hex"));
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type pg from "pg";
import { orgUuid } from "./ids.ts";
import { organizationsUnderTest, type UnderTest } from "./testing/platform.ts";

let test: UnderTest;
let app: pg.Client;
let orgs: { mine: string; theirs: string };
beforeAll(async () => {
  test = await organizationsUnderTest();
  const admin = await test.administrator();
  const [mine, theirs] = [await test.organization(admin.credentials, "mine"), await test.organization(admin.credentials, "theirs")];
  orgs = { mine: orgUuid(mine.id), theirs: orgUuid(theirs.id) };
  for (const [org, name] of [[mine, "mia"], [theirs, "theo"]] as const) {
    const person = await test.member(org.credentials, name, "operator");
    await test.call("api-keys.create", { name: `key of ${name}`, scopes: ["images:read"] }, person.credentials);
  }
  app = await test.connect("qinfra_app");
});
afterAll(async () => {
  await app.end();
  await test.close();
});

async function asTenant(orgId: string | undefined, statement: string): Promise<unknown[]> {
  await app.query("begin");
  try {
    if (orgId !== undefined) await app.query(`set local app.org_id = '${orgId}'`);
    return (await app.query(statement)).rows;
  } finally {
    await app.query("rollback");
  }
}

describe("row level security", () => {
  it.each([
    ["organizations", "select slug as it from organizations.organizations", ["mine"]],
    ["users", "select name as it from organizations.users", ["admin", "mia"]],
    ["memberships", "select role as it from organizations.memberships", ["admin", "operator"]],
    ["api_keys", "select name as it from organizations.api_keys", ["key of mia"]],
    ["api_organizations", "select slug as it from organizations.api_organizations", ["mine"]],
    ["api_members", "select name as it from organizations.api_members", ["admin", "mia"]],
    ["api_key_names", "select name as it from organizations.api_key_names", ["key of mia"]],
  ])("given a tenant, then of %s it sees its own rows; without one, none", async (_table, statement, own) => {
    const seen = (await asTenant(orgs.mine, statement)) as { it: string }[];
    expect(seen.map((row) => row.it).sort()).toEqual(own);
    expect(await asTenant(undefined, statement)).toEqual([]);
  });

  it.each([
    ["sessions", "select * from organizations.sessions"],
    ["password_credentials", "select * from organizations.password_credentials"],
    ["user_identities", "select * from organizations.user_identities"],
    ["the hash of keys", "select hash from organizations.api_keys"],
    ["users, to change them", "update organizations.users set disabled_at = null"],
    ["organizations, to change them", "update organizations.organizations set is_platform = true"],
    ["memberships, to add one", "insert into organizations.memberships select org_id, user_id, 'admin', now() from organizations.memberships"],
    ["keys, to widen one", "update organizations.api_keys set scopes = '{images:*}'"],
  ])("given a tenant, then %s are out of reach", async (_what, statement) => {
    await expect(asTenant(orgs.mine, statement)).rejects.toThrow(/permission denied/);
  });

  it("given a tenant that writes another's id, then the row is refused", async () => {
    const insert = (orgId: string) => `insert into organizations.api_keys (org_id, id, name, prefix, hash, scopes, agent, created_by, created_at, expires_at)
      select '${orgId}', gen_random_uuid(), 'k', 'p', '\\x00', '{}', false, user_id, now(), now() from organizations.memberships limit 1`;
    await expect(asTenant(orgs.mine, insert(orgs.theirs))).rejects.toThrow(/row-level security/);
    await expect(asTenant(orgs.mine, insert(orgs.mine))).resolves.toEqual([]);
  });

  it("given a tenant that changes all memberships, then only its own are changed", async () => {
    const rows = await asTenant(orgs.mine, "update organizations.memberships set role = 'viewer' returning org_id");
    expect(rows).toEqual([{ org_id: orgs.mine }, { org_id: orgs.mine }]);
  });
});

describe("the catalogue", () => {
  it("given the module's tables, then each is under forced row level security and no view is its owner's", async () => {
    const superuser = await test.connect("superuser");
    const { rows } = await superuser.query(`
      select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'organizations' and (
        c.relkind = 'r' and not (c.relrowsecurity and c.relforcerowsecurity)
        or c.relkind = 'v' and not coalesce('security_invoker=true' = any(c.reloptions), false)
        or c.relkind = 'm')`);
    expect(rows).toEqual([]);
    await superuser.end();
  });
});

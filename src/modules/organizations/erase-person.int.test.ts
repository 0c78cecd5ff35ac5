import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testPlatform, type Answer, type Person, type TestPlatform } from "../../app/testing.ts";
import { toTypeId } from "../../platform/ids.ts";
import { SessionRevoked } from "./sign-in-events.ts";
import { fillPerson } from "./testing/fill-tables.ts";

let platform: TestPlatform;
let superuser: pg.Client;
let root: string;
beforeAll(async () => {
  platform = await testPlatform();
  superuser = await platform.test.connect("superuser");
  root = await platform.newSession(platform.person("platform-admin"));
  await superuser.query("update organizations.sessions set confirmed_at = now(), second_factor = true where user_id = $1", [platform.person("platform-admin").userId]);
});
afterAll(async () => {
  await superuser.end();
  await platform.close();
});

const codeOf = ({ body }: Answer): string => (body as { code?: string }).code ?? "ok";
const typeId = ({ userId }: Person): string => toTypeId("usr", userId);

async function named(person: Person, name: string): Promise<void> {
  await superuser.query("update organizations.users set name = $2, display_name = $3, email = $4 where id = $1", [person.userId, name, `Display ${name}`, `${name}@example.com`]);
}

function erase(person: Person, name: string, authorization = root): Promise<Answer> {
  return platform.call("users.erase", { authorization, input: { user: typeId(person), name } });
}

/** The tables in which the text stands, in whatever column. */
async function tablesWith(text: string): Promise<string[]> {
  const { rows: tables } = await superuser.query<{ name: string }>(`select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'`);
  const found: string[] = [];
  for (const { name } of tables) {
    const { rowCount } = await superuser.query(`select from ${name} t where t::text ilike '%' || $1 || '%' limit 1`, [text]);
    if (rowCount !== 0) found.push(name);
  }
  return found.sort();
}

async function signed(orgId: string): Promise<void> {
  for (;;) {
    const { rowCount } = await superuser.query(`select from events.chains c join events.checkpoints k on k.org_id = c.org_id and k.seq = c.seq
      where c.org_id = $1 and not exists (select from events.log where org_id = $1 and position is null)`, [orgId]);
    if (rowCount === 1) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function problems(orgId: string): Promise<number> {
  await signed(orgId);
  return (await platform.platform.services.verifyLog(orgId, new AbortController().signal, () => undefined)).problems;
}

describe("erasing a person", () => {
  it("leaves nothing that says who they were, and an id that logs go on to name; no chain breaks", async () => {
    const [first, other] = [platform.person("admin").orgId, platform.person("other-tenant-admin").orgId];
    const ada = await platform.newMember(first, "operator");
    await superuser.query("insert into organizations.memberships (org_id, user_id, role, created_at) values ($1, $2, 'viewer', now())", [other, ada.userId]);
    await named(ada, "needle-name");
    const authorization = await platform.newSession(ada);
    const key = (await platform.call("api-keys.create", { authorization, input: { name: "laptop of needle-name", scopes: ["images:read"] } })).body as { key: string };
    const columns = await fillPerson(superuser, first, ada.userId);
    expect(columns).toEqual(expect.arrayContaining(["organizations.passkeys.user_id", "organizations.totp.user_id", "organizations.sessions.user_id", "organizations.api_keys.acts_as", "organizations.invitations.accepted_by"]));
    await superuser.query("update organizations.invitations set email = 'NEEDLE-name@example.com' where accepted_by = $1", [ada.userId]);
    await superuser.query("insert into organizations.oidc_payloads (model, id, payload, expires_at) values ('Session', 'x', $1, now())", [JSON.stringify({ accountId: typeId(ada), agent: "needle-name" })]);
    const { database, appender } = platform.platform.services;
    for (const orgId of [first, other]) {
      await database.system(async (db) => {
        const events = appender(db, { orgId, actor: { kind: "user", userId: ada.userId, platform: false, roles: [], permissions: [], ai: false, mustChangePassword: false, secondFactor: false }, operation: "test", requestId: "test", door: "system" });
        await events.append({ type: SessionRevoked, subject: typeId(ada), data: { user: typeId(ada) }, private: { subjectId: typeId(ada), body: { address: "192.0.2.1" } } });
      });
    }
    expect(await tablesWith("needle-name")).toEqual(["organizations.api_keys", "organizations.invitations", "organizations.oidc_payloads", "organizations.users"]);
    expect([await problems(first), await problems(other)]).toEqual([0, 0]);

    const answer = await erase(ada, "Needle-Name");
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({ erased: typeId(ada), organizations: 2 });

    expect(await tablesWith("needle-name")).toEqual([]);
    const { rows: [tombstone] } = await superuser.query("select name, display_name, email, disabled_at, erased_at from organizations.users where id = $1", [ada.userId]);
    expect(tombstone).toEqual({ name: `erased ${typeId(ada)}`, display_name: "erased", email: null, disabled_at: expect.any(Date) as Date, erased_at: expect.any(Date) as Date });
    const left: string[] = [];
    for (const column of columns) {
      const [schema, table, name] = column.split(".");
      if ((await superuser.query(`select from ${schema}.${table} where ${name} = $1 limit 1`, [ada.userId])).rowCount !== 0) left.push(column);
    }
    // What others made or were given goes on to name the id.
    expect(left.sort()).toEqual(["organizations.api_keys.acts_as", "organizations.api_keys.created_by", "organizations.invitations.accepted_by", "organizations.invitations.invited_by", "organizations.past_memberships.user_id"]);
    expect((await superuser.query("select from organizations.api_keys where (acts_as = $1 or (created_by = $1 and acts_as is null)) and revoked_at is null", [ada.userId])).rowCount).toBe(0);
    for (const table of ["events.subject_keys", "events.private"]) expect((await superuser.query(`select from ${table} where subject_id = $1`, [typeId(ada)])).rowCount).toBe(0);
    expect([await problems(first), await problems(other), await problems(platform.person("platform-admin").orgId)]).toEqual([0, 0, 0]);

    expect(codeOf(await platform.call("users.me", { authorization }))).toBe("unauthenticated");
    expect(codeOf(await platform.call("images.list", { authorization: `Bearer ${key.key}` }))).toBe("unauthenticated");
    expect(codeOf(await platform.call("sessions.create", { input: { name: "needle-name", password: "the password of everybody" } }))).toBe("sign-in-failed");
    const exported = await platform.call("audit.list", { as: "admin", input: { subject: typeId(ada), limit: 1000 } });
    expect([exported.text.includes(typeId(ada)), exported.text.includes("needle")]).toEqual([true, false]);
    expect(codeOf(await platform.call("members.add", { as: "admin", input: { name: "needle-name", role: "viewer" } }))).toBe("ok");
    expect(codeOf(await erase(ada, "needle-name"))).toBe("user-not-found");
  });

  it("is refused for the only administrator of an organization, which is named", async () => {
    await platform.call("organizations.create", { as: "platform-admin", input: { name: "Lone", slug: "lone" } });
    const { userId } = platform.person("platform-admin");
    await named(platform.person("platform-admin"), "root");
    await platform.newMember(platform.person("platform-admin").orgId, "admin");
    const answer = await erase(platform.person("platform-admin"), "root");
    expect(answer.body).toMatchObject({ code: "last-administrator", data: { organizations: ["lone"] }, detail: expect.stringContaining("only administrator of lone;") as string });
    expect((await superuser.query("select erased_at from organizations.users where id = $1", [userId])).rows).toEqual([{ erased_at: null }]);
  });

  it("is not in the way of anybody's login name", async () => {
    const ada = await platform.newMember(platform.person("admin").orgId, "viewer");
    await named(ada, "in-the-way");
    for (const [space, outcome] of [["-", "ok"], [" ", "invalid-input"]]) {
      expect(codeOf(await platform.call("members.add", { as: "admin", input: { name: `erased${space}${typeId(ada)}`, role: "viewer" } }))).toBe(outcome);
    }
    expect(codeOf(await erase(ada, "in-the-way"))).toBe("ok");
  });

  it("needs the right login name, a second factor and a person of the platform", async () => {
    const max = await platform.newMember(platform.person("admin").orgId, "viewer");
    await named(max, "max");
    expect(codeOf(await erase(max, "moritz"))).toBe("not-confirmed");
    expect(codeOf(await erase({ ...max, userId: "01a1fe85-0000-7000-8000-000000000001" }, "max"))).toBe("user-not-found");
    expect(codeOf(await erase(max, "max", await platform.newSession(platform.person("platform-admin"))))).toBe("confirmation-needed");
    expect(codeOf(await erase(max, "max", await platform.newSession(platform.person("admin"))))).toBe("permission-missing");
    expect(codeOf(await erase(max, "MAX"))).toBe("ok");
  });
});

import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testPlatform, type Answer, type Person, type TestPlatform } from "../../../app/testing.ts";
import { fromTypeId } from "../../../platform/ids.ts";

let platform: TestPlatform;
let superuser: pg.Client;
beforeAll(async () => {
  platform = await testPlatform();
  superuser = await platform.test.connect("superuser");
});
afterAll(async () => {
  await superuser.end();
  await platform.close();
});

let serial = 0;

async function organization(): Promise<{ id: string; orgId: string; slug: string; admin: Person; authorization: string }> {
  const slug = `short-${++serial}`;
  const { id } = (await platform.call("organizations.create", { as: "platform-admin", input: { name: slug, slug } })).body as { id: string };
  const orgId = fromTypeId("org", id) as string;
  const admin = await platform.newMember(orgId, "admin");
  return { id, orgId, slug, admin, authorization: await confirmed(admin) };
}

/** A session in which a second factor was just given. */
async function confirmed(person: Person): Promise<string> {
  const authorization = await platform.newSession(person);
  await superuser.query("update organizations.sessions set confirmed_at = now(), second_factor = true where user_id = $1", [person.userId]);
  return authorization;
}

const codeOf = ({ body }: Answer): string => (body as { code?: string }).code ?? "ok";

async function remove({ id, slug, authorization }: { id: string; slug: string; authorization: string }): Promise<void> {
  const answer = await platform.call("organizations.delete", { authorization, input: { id, slug } });
  expect(answer.status, answer.text).toBe(200);
}

describe("deleting an organization", () => {
  it("needs the right short name, the organization that one works in, a second factor, and never takes the platform's", async () => {
    const org = await organization();
    const tryIt = async (input: Record<string, unknown>, authorization = org.authorization) => codeOf(await platform.call("organizations.delete", { authorization, input }));
    expect(await tryIt({ id: org.id, slug: "another" })).toBe("not-confirmed");
    expect(await tryIt({ id: (await organization()).id, slug: org.slug })).toBe("organization-not-found");
    expect(await tryIt({ id: org.id, slug: org.slug }, await platform.newSession(await platform.newMember(org.orgId, "admin")))).toBe("confirmation-needed");
    expect(await tryIt({ id: org.id, slug: org.slug }, await confirmed(await platform.newMember(org.orgId, "operator")))).toBe("permission-missing");
    const root = await confirmed(platform.person("platform-admin"));
    const { body } = await platform.call("users.me", { authorization: root });
    const { organization: own } = body as { organization: { id: string } };
    expect(await tryIt({ id: own.id, slug: "platform" }, root)).toBe("platform-organization-stays");
  });

  it("refuses from then on everything to each credential, and says until when and who can help", async () => {
    const org = await organization();
    const key = (await platform.call("api-keys.create", { authorization: org.authorization, input: { name: "key", scopes: ["images:read"] } })).body as { key: string };
    const member = await platform.newSession(await platform.newMember(org.orgId, "viewer"));
    await remove(org);
    for (const [authorization, operation] of [[org.authorization, "images.list"], [member, "users.me"], [`Bearer ${key.key}`, "images.list"], [org.authorization, "sessions.list"]] as const) {
      const answer = await platform.call(operation, { authorization });
      expect([answer.status, codeOf(answer)]).toEqual([403, "organization-closed"]);
      expect((answer.body as { detail: string }).detail).toMatch(/Until \d{4}-\d\d-\d\dT[\d:.]+Z an administrator of the platform can restore it/);
    }
    const mcp = await platform.inject({ method: "POST", url: "/mcp", headers: { authorization: member, "content-type": "application/json", accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25" }, payload: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"images_list","arguments":{}}}' });
    expect(mcp.text).toContain("organization-closed");
    const { rows } = await superuser.query<{ days: number }>("select round(extract(epoch from due_at - closed_at) / 86400)::int as days from organizations.organizations where id = $1", [org.orgId]);
    expect(rows).toEqual([{ days: 30 }]);
  });

  it("ends signing in there, and nowhere else", async () => {
    const [org, other] = [await organization(), await organization()];
    const { userId } = org.admin;
    const name = `user-${userId.replaceAll("-", "")}`;
    await superuser.query("insert into organizations.memberships (org_id, user_id, role, created_at) values ($1, $2, 'viewer', now() + interval '1 day')", [other.orgId, userId]);
    const only = await platform.newMember(org.orgId, "viewer");
    await remove(org);
    const signIn = (input: Record<string, unknown>) => platform.call("sessions.create", { input: { password: "the password of everybody", ...input } });
    expect(codeOf(await signIn({ name: `user-${only.userId.replaceAll("-", "")}` }))).toBe("organization-closed");
    expect(codeOf(await signIn({ name: `user-${only.userId.replaceAll("-", "")}`, password: "wrong" }))).toBe("sign-in-failed");
    expect(codeOf(await signIn({ name, organization: org.id }))).toBe("organization-closed");
    expect((await signIn({ name })).body).toMatchObject({ organization: other.id });
    const here = await platform.call("users.me", { authorization: org.authorization, headers: { "qinfra-organization": other.id } });
    expect(here.body).toMatchObject({ organization: { id: other.id } });
  });

  it("is in both chains, and in the list of the platform's administrators", async () => {
    const org = await organization();
    await remove(org);
    const { rows } = await superuser.query<{ org_id: string }>("select org_id from events.log where type = 'organizations.deleted' and subject = $1", [org.id]);
    expect(rows.map((row) => row.org_id).sort()).toEqual([org.orgId, platform.person("platform-admin").orgId].sort());
    const { items } = (await platform.call("organizations.list-deletions", { as: "platform-admin", input: { limit: 1000 } })).body as { items: { organization: string; state: string }[] };
    expect(items.find(({ organization: id }) => id === org.id)).toMatchObject({ slug: org.slug, state: "waiting", rows: 0, blobs: 0, people: 0 });
    expect(codeOf(await platform.call("organizations.list-deletions", { as: "admin" }))).toBe("permission-missing");
  });
});

describe("restoring an organization", () => {
  it("makes everything work as before, and it can be deleted again", async () => {
    const org = await organization();
    await remove(org);
    const restored = await platform.call("organizations.restore", { as: "platform-admin", input: { id: org.id } });
    expect(restored.body).toEqual({ restored: org.id });
    expect(codeOf(await platform.call("images.list", { authorization: org.authorization }))).toBe("ok");
    expect(codeOf(await platform.call("organizations.restore", { as: "platform-admin", input: { id: org.id } }))).toBe("deletion-not-found");
    await platform.platform.eraseDue();
    await remove(org);
    expect(codeOf(await platform.call("images.list", { authorization: org.authorization }))).toBe("organization-closed");
  });

  it("is refused once the time is over, and to others than the platform's administrators", async () => {
    const org = await organization();
    await remove(org);
    expect(codeOf(await platform.call("organizations.restore", { as: "admin", input: { id: org.id } }))).toBe("permission-missing");
    await superuser.query("update organizations.deletions set due_at = now() where organization = $1", [org.orgId]);
    expect(codeOf(await platform.call("organizations.restore", { as: "platform-admin", input: { id: org.id } }))).toBe("not-restorable");
  });

  it("and erasing before the time is over does nothing", async () => {
    const org = await organization();
    await remove(org);
    await platform.platform.eraseDue();
    expect((await superuser.query("select state from organizations.deletions where organization = $1", [org.orgId])).rows).toEqual([{ state: "waiting" }]);
    expect((await superuser.query("select from organizations.memberships where org_id = $1", [org.orgId])).rowCount).toBe(2);
  });
});

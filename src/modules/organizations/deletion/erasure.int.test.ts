import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testPlatform, type Person, type TestPlatform } from "../../../app/testing.ts";
import { fromTypeId } from "../../../platform/ids.ts";
import { closeChain, verifyLog, type CheckpointKeys } from "../../../platform/events/index.ts";
import { fillTables, rowsOf } from "../testing/fill-tables.ts";
import { eraseOrganization } from "./erase-organization.ts";
import type { ErasurePorts } from "./types.ts";

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

const components = [{ name: "openssl", version: "3.0.17-1", purl: "pkg:deb/debian/openssl@3.0.17-1?arch=amd64&distro=debian-12" }];
/** Rows of other shapes would keep the readers of the log from going on; what there is of these is real. */
const onlyReal = ["events.log", "events.streams", "events.chains", "events.checkpoints", "platform.data_keys"];
let serial = 0;

interface World {
  orgId: string;
  id: string;
  slug: string;
  admin: Person;
  digest: string;
}

async function newWorld(): Promise<World> {
  const slug = `world-${++serial}`;
  const made = await platform.call("organizations.create", { as: "platform-admin", input: { name: slug, slug } });
  expect(made.status, platform.errors().join("\n")).toBe(201);
  const { id } = made.body as { id: string };
  const orgId = fromTypeId("org", id) as string;
  const admin = await platform.newMember(orgId, "admin");
  const authorization = await platform.newSession(admin);
  for (const call of [
    await platform.call("inventory.record-scan", { authorization, input: { name: "host", source: "import", components } }),
    await platform.call("images.register", { authorization, input: { family: "base", version: "1", source: "sbom", components } }),
    await platform.call("api-keys.create", { authorization, input: { name: "key", scopes: ["images:read"] } }),
  ]) expect(call.status, call.text).toBeLessThan(300);
  const { digest } = await platform.platform.services.blobs.put(orgId, Buffer.from(`blob of ${slug}`));
  await platform.platform.services.blobs.point(orgId, "exports/one.csv", Buffer.from("a,b"));
  await fillTables(superuser, orgId, 3, onlyReal);
  return { orgId, id, slug, admin, digest };
}

/** Deleted by its administrator, and its time over. */
async function due(world: World): Promise<void> {
  const authorization = await platform.newSession(world.admin);
  await superuser.query("update organizations.sessions set confirmed_at = now(), second_factor = true where user_id = $1", [world.admin.userId]);
  const answer = await platform.call("organizations.delete", { authorization, input: { id: world.id, slug: world.slug } });
  expect(answer.status, answer.text).toBe(200);
  await superuser.query("update organizations.deletions set due_at = now() - interval '1 second' where organization = $1", [world.orgId]);
  await superuser.query("update organizations.organizations set due_at = now() - interval '1 second' where id = $1", [world.orgId]);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function stateOf(orgId: string): Promise<{ state: string; progress: { rows?: Record<string, number>; blobs?: number; people?: number; checkpoint?: { seq: number; signature: string } } }> {
  return (await superuser.query("select state, progress from organizations.deletions where organization = $1", [orgId])).rows[0] as never;
}

/** Everything that the chain of an organization has is signed. */
async function signed(orgId: string): Promise<void> {
  await until(async () => (await superuser.query(`
    select from events.chains c join events.checkpoints k on k.org_id = c.org_id and k.seq = c.seq
    where c.org_id = $1 and not exists (select from events.log where org_id = $1 and position is null)`, [orgId])).rowCount === 1);
}

async function eraseUntilDone(orgId: string): Promise<void> {
  await until(async () => {
    await platform.platform.eraseDue();
    return (await stateOf(orgId)).state === "done";
  });
}

async function verify(orgId: string): Promise<{ problems: number; events: number }> {
  await signed(orgId);
  const { problems, events } = await platform.platform.services.verifyLog(orgId, new AbortController().signal, () => undefined);
  return { problems, events };
}

function total(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

const emptyOf = (counts: Record<string, number>): string[] => Object.entries(counts).filter(([, count]) => count === 0).map(([table]) => table);

describe("the erasure of an organization", () => {
  it("leaves no row in any table that has org_id, no blob and no key, and touches nothing of another one", async () => {
    const [gone, stays] = [await newWorld(), await newWorld()];
    const [only, shared] = [await platform.newMember(gone.orgId, "viewer"), await platform.newMember(gone.orgId, "viewer")];
    await superuser.query("insert into organizations.memberships (org_id, user_id, role, created_at) values ($1, $2, 'viewer', now())", [stays.orgId, shared.userId]);
    await signed(stays.orgId);
    const before = { gone: await rowsOf(superuser, gone.orgId), stays: await rowsOf(superuser, stays.orgId) };
    expect([emptyOf(before.gone), emptyOf(before.stays)]).toEqual([[], []]); // each table has something to lose
    await due(gone);
    await eraseUntilDone(gone.orgId);

    expect(total(await rowsOf(superuser, gone.orgId))).toBe(0);
    expect((await superuser.query("select from organizations.organizations where id = $1", [gone.orgId])).rowCount).toBe(0);
    const after = await rowsOf(superuser, stays.orgId);
    expect({ ...after, "events.checkpoints": 0 }).toEqual({ ...before.stays, "events.checkpoints": 0 });
    expect(await verify(stays.orgId)).toMatchObject({ problems: 0 });
    expect(await verify(platform.person("platform-admin").orgId)).toMatchObject({ problems: 0 });
    const { blobs, database, secrets } = platform.platform.services;
    expect(await verifyLog({ database, keys: secrets as unknown as CheckpointKeys, blobs })).toMatchObject({ problems: 0 }); // the positions of all as well
    expect(await blobs.get(gone.orgId, gone.digest)).toBeUndefined();
    expect(Buffer.from((await blobs.get(stays.orgId, stays.digest)) ?? "").toString()).toBe(`blob of ${stays.slug}`);
    await expect(blobs.put(gone.orgId, Buffer.from("late"))).rejects.toThrow("keys of this organization were destroyed");

    const { rows: [lost] } = await superuser.query("select name, display_name, erased_at from organizations.users where id = $1", [only.userId]);
    expect(lost).toMatchObject({ name: expect.stringMatching(/^erased usr_/) as string, display_name: "erased", erased_at: expect.any(Date) as Date });
    const { rows: [kept] } = await superuser.query("select erased_at from organizations.users where id = $1", [shared.userId]);
    expect(kept).toEqual({ erased_at: null });

    const { rows } = await superuser.query<{ type: string; data: { checkpoint: { seq: number; chainHash: string; keyId: string; signature: string }; rows?: number; events: number } }>(
      "select type, body::jsonb->'data' as data from events.log where org_id = $1 and subject = $2 order by id", [platform.person("platform-admin").orgId, gone.id]);
    expect(rows.map(({ type }) => type)).toEqual(["organizations.created", "organizations.deleted", "organizations.erasure-begun", "organizations.erased"]);
    const [, , begun, erased] = rows;
    expect(begun?.data.checkpoint).toMatchObject({ orgId: gone.orgId, seq: begun?.data.events, chainHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string, keyId: expect.any(String) as string, signature: expect.any(String) as string });
    expect(begun?.data.events).toBeGreaterThanOrEqual(before.gone["events.log"] ?? Infinity);
    expect(erased?.data.checkpoint).toEqual(begun?.data.checkpoint);
    expect(erased?.data.rows).toBeGreaterThanOrEqual(total(before.gone));
    expect(platform.errors()).toEqual([]);
  });

  it("goes on where it was cut off, wherever that was", async () => {
    const world = await newWorld();
    await due(world);
    await signed(world.orgId);
    const { services } = platform.platform;
    const system = services.database.system;
    let left = 0;
    let after = false;
    const cut = new Error("killed");
    const ports: ErasurePorts = {
      ...services, blobs: services.blobs, onOrganizationEnded: [], batchRows: 2,
      closeChain: (orgId) => closeChain({ database: services.database, checkpointer: { run: async () => undefined } }, orgId),
      database: {
        // Dies before the transaction, or once it has committed.
        async system(work) {
          if (left === 0 && !after) throw cut;
          const answer = await system(work);
          if (left === 0) throw cut;
          left -= 1;
          return answer;
        },
      },
    };
    const never = new AbortController().signal;
    let cuts = 0;
    for (let calls = 0; ; calls += 1) {
      left = calls >> 1;
      after = calls % 2 === 1;
      const outcome = await eraseOrganization(ports, world.orgId, never).catch((error: unknown) => error);
      if (outcome === "erased") break;
      expect(outcome).toBe(cut);
      cuts += 1;
    }
    expect(cuts).toBeGreaterThan(60);
    expect(total(await rowsOf(superuser, world.orgId))).toBe(0);
    expect((await stateOf(world.orgId)).state).toBe("done");
    const { rows } = await superuser.query<{ count: number }>("select count(*)::int as count from events.log where org_id = $1 and type in ('organizations.erased', 'organizations.erasure-begun') and subject = $2", [services.platformOrgId, world.id]);
    expect(rows).toEqual([{ count: 2 }]);
  }, 120_000);

  it("takes a table that came with a later version, and rows that came late", async () => {
    const world = await newWorld();
    await superuser.query(`set role qinfra_owner; create table images.scratch (org_id uuid not null, id uuid not null, image_id uuid not null, primary key (org_id, id),
        foreign key (org_id, image_id) references images.golden_images (org_id, id));
      alter table images.scratch enable row level security; alter table images.scratch force row level security;
      create policy tenant on images.scratch using (org_id = platform.current_org()) with check (org_id = platform.current_org()); reset role`);
    await superuser.query("insert into images.scratch select org_id, gen_random_uuid(), id from images.golden_images where org_id = $1", [world.orgId]);
    await due(world);
    await eraseUntilDone(world.orgId);
    expect((await stateOf(world.orgId)).progress.rows).toMatchObject({ "images.scratch": expect.any(Number) as number });
    await superuser.query("insert into events.handled values ('late', gen_random_uuid(), $1, now())", [world.orgId]);
    await platform.platform.eraseDue();
    expect(total(await rowsOf(superuser, world.orgId))).toBe(0);
    await superuser.query("drop table images.scratch");
  });

  it("is told to what keeps something beside the database, and goes on when that fails at first", async () => {
    const world = await newWorld();
    await due(world);
    await signed(world.orgId);
    const { services } = platform.platform;
    const told: string[] = [];
    let fails = true;
    const ports: ErasurePorts = {
      ...services, onOrganizationEnded: [async (orgId) => {
        if (fails) throw new Error("not now");
        told.push(orgId);
      }],
      closeChain: (orgId) => closeChain({ database: services.database, checkpointer: { run: async () => undefined } }, orgId),
    };
    const never = new AbortController().signal;
    await expect(eraseOrganization(ports, world.orgId, never)).rejects.toThrow("not now");
    fails = false;
    expect(await eraseOrganization(ports, world.orgId, never)).toBe("erased");
    expect(told).toEqual([world.orgId]);
  });

  it("is refused for an organization that nobody deleted, by the database itself", async () => {
    const system = await platform.test.connect("qinfra_system");
    const app = await platform.test.connect("qinfra_app");
    const orgId = platform.person("admin").orgId;
    try {
      await expect(system.query("select platform.erase_rows($1, 'images.golden_images', 10)", [orgId])).rejects.toMatchObject({ code: "QE411" });
      await expect(app.query("select platform.erase_rows($1, 'images.golden_images', 10)", [orgId])).rejects.toThrow("permission denied");
      const { rows: [done] } = await superuser.query<{ organization: string }>("select organization from organizations.deletions where state = 'done' limit 1");
      for (const table of ["organizations.users", "images.api_images"]) {
        await expect(system.query("select platform.erase_rows($1, $2::regclass, 10)", [done?.organization, table])).rejects.toMatchObject({ code: "QE412" });
      }
    } finally {
      await system.end();
      await app.end();
    }
  });
});

import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pino } from "pino";
import { systemClock } from "../platform/clock.ts";
import { openLine, systemTimer, type Line } from "../platform/events/index.ts";
import { createIds } from "../platform/ids.ts";
import { openFileSecrets } from "../platform/secrets/file-secrets.ts";
import type { Secrets } from "../platform/secrets/types.ts";
import { testDatabase, type TestDatabase } from "../platform/testing/database.ts";
import { createDataKeys, type DataKeys } from "./data-keys.ts";

let folder: string;
let test: TestDatabase;
let superuser: pg.Client;
let secrets: Secrets;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "qinfra-data-keys-"));
  test = await testDatabase();
  superuser = await test.connect("superuser");
  secrets = await openFileSecrets({ folder, dataExists: false, clock: systemClock });
});
afterAll(async () => {
  await superuser.end();
  await test.close();
  await rm(folder, { recursive: true, force: true });
});

function server(): DataKeys {
  return createDataKeys({ database: test.database, secrets, clock: systemClock, ids: createIds(systemClock) });
}

async function erasing(orgId: string): Promise<void> {
  await superuser.query("insert into organizations.deletions (organization, slug, requested_by, requested_at, due_at, state) values ($1, 'gone', $1, now(), now(), 'erasing')", [orgId]);
  await superuser.query("delete from platform.data_keys where org_id = $1", [orgId]);
}

describe("the data keys of an organization", () => {
  it("are made once, and are the same to every server", async () => {
    const orgId = randomUUID();
    const made = await server().of(orgId);
    expect(await server().of(orgId)).toEqual(made);
    expect(await server().of(orgId, made.id)).toEqual(made);
    expect((await server().of(randomUUID())).key.equals(made.key)).toBe(false);
  });

  it("are read again after they were forgotten, one organization's or all", async () => {
    const [orgId, other] = [randomUUID(), randomUUID()];
    const keys = server();
    const [made, others] = [await keys.of(orgId), await keys.of(other)];
    await superuser.query("delete from platform.data_keys where org_id = any($1)", [[orgId, other]]);
    keys.forget(orgId);
    expect(await keys.of(other)).toBe(others);
    expect((await keys.of(orgId)).id).not.toBe(made.id);
    keys.forget();
    expect((await keys.of(other)).id).not.toBe(others.id);
  });

  it("once destroyed, are gone from every server that is told, and no others are made", async () => {
    const orgId = randomUUID();
    const lines: Line[] = [];
    const told: Promise<void>[] = [];
    const servers = [server(), server()];
    for (const keys of servers) {
      const line = openLine(test.database, { timer: systemTimer, log: pino({ level: "silent" }) });
      lines.push(line);
      const listening = Promise.withResolvers<void>();
      told.push(new Promise((resolve) => line.on("organization_ended", (ended) => {
        if (ended === "") return;
        if (ended !== orgId) return listening.resolve();
        keys.forget(ended);
        resolve();
      })));
      // Heard once it listens.
      for (let heard = false; !heard; ) {
        await superuser.query("select pg_notify('organization_ended', 'another')");
        heard = await Promise.race([listening.promise.then(() => true), systemTimer.sleep(50).then(() => false)]);
      }
      await keys.of(orgId);
    }
    await erasing(orgId);
    await superuser.query("select pg_notify('organization_ended', $1)", [orgId]);
    await Promise.all(told);
    for (const keys of servers) await expect(keys.of(orgId)).rejects.toThrow("keys of this organization were destroyed, and it gets no others");
    expect((await superuser.query("select from platform.data_keys where org_id = $1", [orgId])).rowCount).toBe(0);
    await Promise.all(lines.map((line) => line.close()));
  });
});

import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { toTypeId } from "../../src/platform/ids.ts";
import { approvalEnded, approve, askToDelete, makeDeciders, type Asked, type Deciders } from "../real/support/approvals.ts";
import { openClient, type Client } from "../real/support/client.ts";
import { superuser } from "../real/support/event-log.ts";
import { nextVersion } from "../real/support/next-version.ts";
import { dataFolder, ensureBuilt, postmasterOf, startPlatform, type RunningPlatform } from "../real/support/platform.ts";
import { temporaryFolder } from "../real/support/process.ts";
import { seeded } from "../real/support/writers.ts";

const rounds = 10;
const eachRound = 3;
const mostDelayMs = 300;
const seed = Number(process.env["QINFRA_CHAOS_SEED"] ?? Date.now() % 1_000_000);
const settings = { RATE_LIMIT: "100000" };
const patience = { timeout: 120_000, interval: 100 };

describe(`approvals while the server is killed, seed ${seed}`, () => {
  const random = seeded(seed);
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let version: string;
  let platform: RunningPlatform;
  let database: pg.Client;
  let tokens: Deciders;
  let clients: Record<keyof Deciders, Client>;

  function connect(): void {
    const of = (who: keyof Deciders): Client => openClient(platform.address, tokens[who]);
    clients = { asking: of("asking"), agent: of("agent"), deciding: of("deciding") };
  }

  /** Kill -9, of PostgreSQL too where it is asked for, and a new start on what is left. */
  async function crash({ withDatabase = false } = {}): Promise<void> {
    await database.end().catch(() => undefined);
    if (withDatabase) process.kill(await postmasterOf(folder.path), "SIGKILL");
    await platform.stop("SIGKILL");
    for (const client of Object.values(clients)) await client.close();
    platform = await startPlatform(folder.path, settings, { version });
    database = await superuser(folder.path);
    connect();
  }

  beforeAll(async () => {
    [folder, scratch] = await Promise.all([dataFolder("approvals"), temporaryFolder("approvals")]);
    await ensureBuilt();
    // A copy, so that nothing that is built meanwhile changes the server.
    version = await nextVersion(join(scratch.path, "version"), {});
    platform = await startPlatform(folder.path, settings, { version });
    database = await superuser(folder.path);
    tokens = await makeDeciders(platform.address, platform.oneTimePassword ?? "");
    connect();
  }, 300_000);
  afterAll(async () => {
    for (const client of Object.values(clients ?? {})) await client.close();
    await database?.end();
    await platform?.stop();
    await folder?.remove();
    await scratch?.remove();
  });

  const show = (approval: string) => clients.asking.call<{ state: string }>("GET", `/api/v1/approvals/${approval}`);

  async function typesOf(subject: string): Promise<string[]> {
    const { rows } = await database.query<{ type: string }>("select type from events.log where subject = $1 order by version", [subject]);
    return rows.map(({ type }) => type);
  }

  async function executed(): Promise<number> {
    const { rows } = await database.query<{ n: number }>("select count(*)::int as n from events.log where type = 'approvals.executed'");
    return rows[0]?.n ?? 0;
  }

  it(`given ${rounds} times a kill while requests wait and one up to ${mostDelayMs} ms after they are approved, then each runs exactly once`, { timeout: 1_200_000 }, async () => {
    process.stdout.write(`approvals: seed ${seed} (QINFRA_CHAOS_SEED=${seed} repeats its choices)\n`);
    const all: Asked[] = [];
    for (let round = 1; round <= rounds; round++) {
      const asked: Asked[] = [];
      for (let n = 0; n < eachRound; n++) asked.push(await askToDelete(clients, `${round}.${n}`));
      await crash();
      for (const { approval } of asked) expect(await show(approval)).toMatchObject({ state: "pending" });
      const answers = await Promise.all(asked.map((one) => approve(clients.deciding, one)));
      expect(answers.map(({ state }) => state)).toEqual(asked.map(() => "approved"));
      // Every third time while some have run and others have not.
      if (round % 3 === 0) await vi.waitUntil(async () => (await executed()) > all.length, { ...patience, interval: 5 });
      const after = random() * (round % 3 === 0 ? mostDelayMs / 10 : mostDelayMs);
      await delay(after);
      const done = await executed();
      await crash({ withDatabase: round % 2 === 0 });
      for (const one of asked) {
        expect(await vi.waitUntil(() => approvalEnded(clients.asking, one), patience)).toMatchObject({ state: "executed", output: { deleted: one.image } });
        expect((await clients.asking.ask("GET", `/api/v1/images/${one.image}`)).status).toBe(404);
      }
      process.stdout.write(`approvals: round ${round}: killed ${Math.round(after)} ms after ${round % 3 === 0 ? "the first had run" : "the answers"}, when ${done - all.length} of ${eachRound} had run\n`);
      all.push(...asked);
    }
    for (const { image, approval } of all) {
      expect((await typesOf(image)).filter((type) => type === "images.deleted")).toHaveLength(1);
      expect(await typesOf(approval)).toEqual(["approvals.requested", "approvals.decided", "approvals.executed"]);
    }
    const { rows } = await database.query("select state, count(*)::int as n from platform.approvals group by state");
    expect(rows).toEqual([{ state: "executed", n: rounds * eachRound }]);
    await vi.waitUntil(async () => (await clients.asking.call<{ unsealed: number }>("POST", "/api/v1/audit/verify", {})).unsealed === 0, patience);
    expect(await clients.asking.call("POST", "/api/v1/audit/verify", {})).toMatchObject({ whole: true, problems: 0 });
  });

  it("given nobody decides, and a kill before each of its times, then it is escalated once and expires once", { timeout: 600_000 }, async () => {
    const { approval, image } = await askToDelete(clients, "nobody");
    const { rows: [row] } = await database.query<{ run_id: string; id: string }>("select run_id, id from platform.approvals where state = 'pending'");
    const looks = async (): Promise<number> => (await database.query<{ n: number }>("select count(*)::int as n from platform.workflow_steps where run_id = $1 and step = 'approvals.look-at-request'", [row?.run_id])).rows[0]?.n ?? 0;
    await vi.waitUntil(async () => (await looks()) === 1, patience);
    // Its times are hours; brought near, and told so, its run sleeps until then.
    await database.query("update platform.approvals set escalate_at = now() + interval '20 seconds', expires_at = now() + interval '50 seconds' where id = $1", [row?.id]);
    await clients.asking.call("POST", `/api/v1/workflows/${toTypeId("run", row?.run_id ?? "")}/signal`, { name: "approvals.changed", body: {} });
    await vi.waitUntil(async () => (await looks()) === 2, patience);
    await crash();
    await vi.waitUntil(async () => (await typesOf(approval)).includes("approvals.escalated"), patience);
    await crash({ withDatabase: true });
    await vi.waitUntil(async () => (await show(approval)).state === "expired", patience);
    await vi.waitUntil(async () => (await typesOf(approval)).includes("approvals.ended"), patience);
    expect(await typesOf(approval)).toEqual(["approvals.requested", "approvals.escalated", "approvals.ended"]);
    expect((await clients.asking.ask("GET", `/api/v1/images/${image}`)).status).toBe(200);
  });
});

import { once } from "node:events";
import { connect, type AddressInfo, type Socket } from "node:net";
import { Type } from "typebox";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { eventType } from "../platform/events/index.ts";
import { toTypeId } from "../platform/ids.ts";
import { operation } from "../platform/operation/index.ts";
import { createStreamSlots } from "../platform/operation/stream-slots.ts";
import { sql } from "../platform/database/sql.ts";
import { testPlatform, type TestPlatform } from "./testing.ts";
import { listenTo, type Listener } from "./testing-stream.ts";

const Poked = eventType({ type: "probes.poked", summary: "For everybody", permission: "assets:read", data: {} });
const Hidden = eventType({ type: "probes.hidden", summary: "For who makes keys", permission: "api-keys:write", data: {} });
const poke = operation({
  id: "probes.poke", http: "POST /api/v1/probes", summary: "Append an event", permission: "assets:read", effect: "change", examples: [{ input: {} }],
  input: Type.Object({ hidden: Type.Optional(Type.Boolean()) }), output: Type.Object({ id: Type.String() }),
  async handle({ events, ids }, { hidden = false }) {
    const id = toTypeId("prb", ids.uuid());
    await events.append({ type: hidden ? Hidden : Poked, subject: id, data: {}, private: { subjectId: "usr_x", body: { words: "said in private" } } });
    return { id };
  },
});

let platform: TestPlatform;
let address: string;
const listeners: Listener[] = [];
/** Comes with `beat()`, not with time. */
let beats: (() => void)[] = [];
const beat = (): void => {
  for (const one of beats.splice(0)) one();
};

beforeAll(async () => {
  platform = await testPlatform({ extraModules: [{ name: "probes", operations: [poke], events: [Poked, Hidden] }] });
  await platform.http.listen({ host: "127.0.0.1", port: 0 });
  address = `http://127.0.0.1:${(platform.http.server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  beats = [];
  platform.platform.services.streams = slots({ actor: 5, server: 8 });
});
afterAll(async () => {
  for (const listener of listeners) listener.close();
  await platform.close();
});

function slots(most: { actor: number; server: number }) {
  return createStreamSlots(most, (signal) => new Promise((resolve) => {
    beats.push(resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  }));
}

const sessionOf = (caller: Parameters<TestPlatform["person"]>[0]) => platform.newSession(platform.person(caller));

async function listen(authorization: string, query = "", lastId?: string): Promise<Listener> {
  const listener = await listenTo(`${address}/api/v1/events/watch${query}`, { authorization, ...(lastId === undefined ? {} : { "last-event-id": lastId }) });
  listeners.push(listener);
  if (listener.status === 200) await vi.waitFor(() => expect(listener.lastId()).toBeDefined());
  return listener;
}

async function pokes(count: number, authorization: string, hidden = false): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const poked = await platform.call("probes.poke", { authorization, input: { hidden } });
    expect(poked.status).toBe(200);
    ids.push((poked.body as { id: string }).id);
  }
  return ids;
}

const subjects = ({ events }: Listener): string[] => events.map(({ data }) => data.subject);
const arrived = (listener: Listener, count: number) => vi.waitFor(() => expect(listener.events.length).toBeGreaterThanOrEqual(count), { timeout: 10_000 });

describe("live updates", () => {
  it("given changes, then they come in order, each once, as CloudEvents, and are kept by nobody", async () => {
    const admin = await sessionOf("admin");
    const listener = await listen(admin, "?type=probes.*");
    expect([listener.headers.get("content-type"), listener.headers.get("cache-control"), listener.headers.get("x-accel-buffering"), listener.headers.get("content-encoding")])
      .toEqual(["text/event-stream; charset=utf-8", "no-store", "no", null]);
    const made = await pokes(5, admin);
    await arrived(listener, 5);
    expect(subjects(listener)).toEqual(made);
    expect(listener.events[0]).toMatchObject({ type: "probes.poked", data: { specversion: "1.0", type: "probes.poked", actor: expect.stringMatching(/^usr_/) as string } });
    expect(listener.text()).not.toContain("said in private");
    expect(listener.text()).toMatch(/^retry: \d+\n\n/);
  });

  it("given a break after any event, then Last-Event-ID goes on after it: nothing is lost or comes twice", async () => {
    const admin = await sessionOf("admin");
    const whole = await listen(admin);
    const begin = whole.lastId() as string;
    const before = await pokes(3, admin);
    await arrived(whole, 3);
    const ids = whole.events.map(({ id }) => id as string);
    whole.close();
    const missed = await pokes(3, admin);
    const all = [...before, ...missed];
    for (const [at, id] of [begin, ...ids].entries()) {
      const again = await listen(admin, "?after=ignored-because-the-header-counts", id);
      await arrived(again, all.length - at);
      expect(subjects(again)).toEqual(all.slice(at));
      again.close();
      await vi.waitFor(() => expect(platform.platform.services.streams.open()).toBe(0));
    }
  });

  it("given more than a page was missed, while more happens, then all of it comes in order", async () => {
    const admin = await sessionOf("admin");
    const first = await listen(admin, "?type=probes.poked");
    const begin = first.lastId() as string;
    first.close();
    const missed = await pokes(110, admin);
    const again = await listen(admin, "?type=probes.poked", begin);
    const more = await pokes(10, admin);
    await arrived(again, 120);
    expect(subjects(again)).toEqual([...missed, ...more]);
  }, 60_000);

  it.each(["application/json", "text/event-stream"])("given an id that none can be, asked for as %s, then it is refused", async (accept) => {
    const answer = await platform.inject({ method: "GET", url: "/api/v1/events/watch", headers: { accept, "last-event-id": "not an id" } }, "admin");
    expect([answer.status, (answer.body as { code: string }).code]).toEqual([400, "invalid-input"]);
  });

  it("given somebody who listens to something else, then a heartbeat's id saves looking again", async () => {
    const admin = await sessionOf("admin");
    const other = await listen(admin, "?type=probes.hidden");
    const begin = other.lastId();
    await pokes(2, admin);
    await vi.waitFor(() => expect(other.lastId()).not.toBe(begin));
    expect(other.events).toEqual([]);
    const all = await listen(admin, "?type=probes.poked");
    const heard = (subject: string | undefined) => vi.waitFor(() => expect(subjects(all)).toContain(subject), { timeout: 10_000 });
    const [poked] = await pokes(1, admin);
    await heard(poked);
    const one = await listen(admin, `?subject=${poked}`);
    const [next] = await pokes(1, admin);
    await heard(next);
    expect(subjects(one)).toEqual([]);
  });

  it.each([["viewer", false], ["operator", true], ["auditor", true], ["admin", true]] as const)("given %s, then they see what their permissions show", async (caller, sees) => {
    const admin = await sessionOf("admin");
    const listener = await listen(await sessionOf(caller));
    const [hidden] = await pokes(1, admin, true);
    const [id] = await pokes(1, admin);
    await vi.waitFor(() => expect(subjects(listener)).toContain(id));
    // An auditor lacks api-keys:write, and has audit:read.
    expect(subjects(listener).includes(hidden as string)).toBe(sees);
  });

  it("given another tenant, then it sees nothing, and a cursor of the other one is refused", async () => {
    const admin = await sessionOf("admin");
    const own = await listen(admin);
    const foreign = await listen(await sessionOf("other-tenant-admin"));
    await pokes(2, admin);
    await arrived(own, 2);
    const [seen] = await pokes(1, await sessionOf("other-tenant-admin"));
    await arrived(foreign, 1);
    expect(subjects(foreign)).toEqual([seen]);
    const refused = await listen(await sessionOf("other-tenant-admin"), "", own.events[0]?.id);
    expect(refused).toMatchObject({ status: 400, problem: { code: "invalid-input" } });
  });

  it("given nobody, or a wrong credential, then it is refused before the stream begins", async () => {
    for (const headers of [{}, { authorization: "Bearer qis_0000000000000000000000000000000000000000000" }]) {
      const listener = await listenTo(`${address}/api/v1/events/watch`, headers as Record<string, string>);
      expect(listener).toMatchObject({ status: 401, problem: { code: "unauthenticated" } });
    }
  });

  it.each([
    ["a type that is not declared", "?type=probes.pokd", 400, "invalid-input"],
    ["a cursor that is none", "?after=x", 400, "invalid-input"],
  ])("given %s, then that is said", async (_name, query, status, code) => {
    expect(await listen(await sessionOf("admin"), query)).toMatchObject({ status, problem: { code } });
  });

  it("given a cursor beyond the log, or events that were retired, then it says to begin anew", async () => {
    const admin = await sessionOf("admin");
    const { orgId } = platform.person("admin");
    const beyond = Buffer.from(`999999999.${orgId}`).toString("base64url");
    expect(await listen(admin, `?after=${beyond}`)).toMatchObject({ status: 410, problem: { code: "cursor-gone" } });
    const listener = await listen(admin);
    await platform.test.database.system((db) => db.run(sql`
      insert into events.exports (org_id, partition, part, name, events, bytes, first_seq, last_seq, first_position, last_position, first_time, last_time, chain_hash, sha256, retired_at, exported_at)
      select ${orgId}, 'log_200001', 1, 'x', 1, 1, 1, 1, 1, 1, now(), now(), '\\x00', '\\x00', now(), now()`));
    const old = Buffer.from(`0.${orgId}`).toString("base64url");
    expect(await listen(admin, `?after=${old}`)).toMatchObject({ status: 410, problem: { code: "cursor-gone", detail: expect.stringContaining("egin anew") as string } });
    await platform.test.database.system((db) => db.run(sql`delete from events.exports where org_id = ${orgId}`));
    expect(listener.ended()).toBe(false);
  });

  it("given a session that ended, then the next heartbeat ends the stream; given one that did not, it goes on", async () => {
    const [admin, leaving] = [await sessionOf("admin"), await sessionOf("viewer")];
    const [stays, ends] = [await listen(admin), await listen(leaving)];
    beat();
    await vi.waitFor(() => expect(ends.text()).toContain(": still here"));
    expect((await platform.call("sessions.delete", { authorization: leaving, input: { id: "current" } })).status).toBe(200);
    beat();
    await vi.waitFor(() => expect(ends.ended()).toBe(true));
    const [id] = await pokes(1, admin);
    await vi.waitFor(() => expect(subjects(stays)).toContain(id));
    expect(subjects(ends)).not.toContain(id);
  });

  it("given permissions that were taken away, then from the next heartbeat on less is seen", async () => {
    const admin = await sessionOf("admin");
    const person = await platform.newMember(platform.person("admin").orgId, "admin");
    const listener = await listen(await platform.newSession(person));
    await platform.test.database.system((db) => db.run(sql`update organizations.memberships set role = 'viewer' where user_id = ${person.userId}`));
    beat();
    await vi.waitFor(() => expect(listener.text()).toContain(": still here"));
    await pokes(1, admin, true);
    const [id] = await pokes(1, admin);
    await vi.waitFor(() => expect(subjects(listener)).toEqual([id]));
  });

  it("given too many streams of one person, or on the server, then 429 says when to try again; one that ends makes room", async () => {
    const admin = await sessionOf("admin");
    const open = await Promise.all([1, 2, 3, 4, 5].map(() => listen(admin)));
    const refused = await listen(admin);
    expect(refused).toMatchObject({ status: 429, problem: { code: "too-many-requests", detail: expect.stringContaining("5 streams") as string } });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    for (const caller of ["viewer", "operator", "auditor"] as const) expect((await listen(await sessionOf(caller))).status).toBe(200);
    expect(await listen(await sessionOf("other-tenant-admin"))).toMatchObject({ status: 429, problem: { detail: expect.stringContaining("The server has 8") as string } });
    open[0]?.close();
    await vi.waitFor(async () => expect((await listen(admin)).status).toBe(200));
  });

  it("given a client that does not read, then no more is read for it than its buffers take, and others are not held up", async () => {
    const { services } = platform.platform;
    const { live } = services;
    const admin = await sessionOf("admin");
    const other = await listen(admin);
    let pages = 0;
    const body = JSON.stringify({ subject: "x".repeat(64 * 1024) });
    services.live = {
      ...live,
      async *follow() {
        for (; ; pages++) yield { events: [{ seq: pages, type: "probes.poked", subject: "x", body }], end: pages, gone: false };
      },
    };
    const accepted = once(platform.http.server, "connection") as Promise<[Socket]>;
    const slow = connect((platform.http.server.address() as AddressInfo).port, "127.0.0.1");
    slow.pause();
    slow.write(`GET /api/v1/events/watch HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: ${admin}\r\n\r\n`);
    const [socket] = await accepted;
    await vi.waitFor(() => expect(socket.writableNeedDrain).toBe(true), { timeout: 20_000 });
    services.live = live;
    const made = await pokes(3, admin);
    await arrived(other, 3);
    expect(subjects(other)).toEqual(made);
    expect(socket.writableLength).toBeLessThan(1024 * 1024);
    expect(pages * body.length).toBeLessThan(64 * 1024 * 1024);
    slow.destroy();
    await vi.waitFor(() => expect(services.streams.open()).toBe(1));
  });

  it("given a server that is about to go, then its streams end at once, so that listeners go elsewhere", async () => {
    const listener = await listen(await sessionOf("admin"));
    platform.platform.services.streams.close();
    await vi.waitFor(() => expect(listener.ended()).toBe(true));
    expect(await listen(await sessionOf("admin"))).toMatchObject({ status: 503, problem: { code: "draining" } });
  });
});

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { Agent, fetch, type RequestInit } from "undici";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { listenTo, type Listener } from "../../src/app/testing-stream.ts";
import { createAuthority } from "./support/certificates.ts";
import { nextVersion } from "./support/next-version.ts";
import { startNginx, type Nginx, type Pair } from "./support/nginx.ts";
import { describeWith } from "./support/peer.ts";
import { dataFolder, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { startPostgres15, type Postgres15 } from "./support/postgres15.ts";
import { freePort, temporaryFolder } from "./support/process.ts";
import { startLoad, type SteadyLoad } from "./support/steady-load.ts";

const password = "a password of both servers";
const succeeded = new Set(["200", "201"]);

/** Of a later version: what the version before can live with. */
const expand = `
  alter table inventory.sites add column label text not null default '';
  create function inventory.label_site() returns trigger language plpgsql as $$ begin new.label := lower(new.name); return new; end $$;
  create trigger label_site before insert or update on inventory.sites for each row execute function inventory.label_site();
  create index sites_label on inventory.sites (org_id, label);`;
/** Of the one after it: takes away what nobody needs any more. */
const contract = `
  drop trigger label_site on inventory.sites;
  drop function inventory.label_site();
  drop index inventory.sites_label;
  alter table inventory.sites drop column label;`;

describeWith(["nginx", "openssl", "postgresql"], "two servers behind nginx as one platform", () => {
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let postgres: Postgres15;
  let database: pg.Client;
  const folders: Awaited<ReturnType<typeof dataFolder>>[] = [];
  const servers: RunningPlatform[] = [];
  const ports: number[] = [];
  let begin: (index: number, version?: string) => Promise<RunningPlatform>;
  let nginx: Nginx;
  let through: Agent;
  /** Past nginx, as nginx itself would ask. */
  let straight: Agent;
  let token: string;
  const listeners: Listener[] = [];

  const ask = (path: string, init: RequestInit = {}, address = nginx.address) =>
    fetch(`${address}${path}`, { redirect: "manual", signal: AbortSignal.timeout(60_000), ...init, dispatcher: address === nginx.address ? through : straight });
  const json = (body: unknown, method = "POST"): RequestInit => ({ method, body: JSON.stringify(body), headers: { "content-type": "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) } });
  const at = (index: number): string => `https://localhost:${ports[index]}`;

  async function listen(address: string, lastId?: string): Promise<Listener> {
    const dispatcher = address === nginx.address ? through : straight;
    const by = (url: string, init: object) => fetch(url, { ...init, dispatcher }) as unknown as Promise<Response>;
    const listener = await listenTo(`${address}/api/v1/events/watch?type=inventory.site-created`, { authorization: `Bearer ${token}`, ...(lastId === undefined ? {} : { "last-event-id": lastId }) }, by as unknown as typeof globalThis.fetch);
    listeners.push(listener);
    if (listener.status === 200) await vi.waitFor(() => expect(listener.lastId()).toBeDefined(), { timeout: 20_000 });
    return listener;
  }

  beforeAll(async () => {
    [scratch, postgres] = await Promise.all([temporaryFolder("rolling"), startPostgres15()]);
    const authority = await createAuthority(scratch.path);
    const [front, server, gateway]: Pair[] = [await authority.issue("front"), await authority.issue("server"), await authority.issue("gateway")];
    if (front === undefined || server === undefined || gateway === undefined) throw new Error("no certificates were issued");
    folders.push(await dataFolder("rolling-first"), await dataFolder("rolling-second"));
    const shared = folders[0]?.path ?? "";
    const env = {
      DATABASE_URL: `${postgres.url}?sslmode=disable`, TLS_CERT: server.cert, TLS_KEY: server.key, TLS_CA: authority.certificate, TRUSTED_PROXIES: "127.0.0.1",
      SECRETS_URL: `file:${join(shared, "keys")}`, BLOBS_URL: `file:${join(shared, "blobs")}`, DATABASE_POOL: "8", RATE_LIMIT: "100000", DRAIN_SECONDS: "3",
    };
    ports.push(await freePort(), await freePort());
    nginx = await startNginx(ports.map((port) => `127.0.0.1:${port}`), { front, gateway, ca: authority.certificate });
    begin = (index, version) => startPlatform(folders[index]?.path ?? "", { ...env, PORT: String(ports[index]), PUBLIC_URL: nginx.address }, { ca: authority.certificate, client: gateway, ...(version === undefined ? {} : { version }) });
    for (const index of [0, 1]) servers.push(await begin(index));
    const ca = await readFile(authority.certificate, "utf8");
    through = new Agent({ connections: 24, connect: { ca } });
    straight = new Agent({ connections: 8, connect: { ca, cert: await readFile(gateway.cert), key: await readFile(gateway.key) } });
    const oneTimePassword = servers[0]?.oneTimePassword ?? "";
    const session = async (word: string) => ((await (await ask("/api/v1/sessions", json({ name: "admin", password: word, door: "cli" }))).json()) as { token: string }).token;
    token = await session(oneTimePassword);
    await ask("/api/v1/users/me/password", json({ currentPassword: oneTimePassword, newPassword: password }, "PUT"));
    token = await session(password);
    database = new pg.Client({ connectionString: postgres.url });
    await database.connect();
  }, 300_000);

  afterAll(async () => {
    for (const listener of listeners) listener.close();
    await through?.destroy();
    await straight?.destroy();
    await nginx?.stop();
    for (const server of servers) await server.stop();
    await database?.end();
    await postgres?.stop();
    for (const folder of folders) await folder.remove();
    await scratch?.remove();
  }, 120_000);

  it("given no sticky sessions, then a session that began at one server counts at the other, and ends at both", async () => {
    const made = await ask("/api/v1/sessions", { ...json({ name: "admin", password, door: "cli" }) }, at(0));
    const { token: other } = (await made.json()) as { token: string };
    const own = { headers: { authorization: `Bearer ${other}` } };
    expect((await ask("/api/v1/users/me", own, at(1))).status).toBe(200);
    expect((await ask("/api/v1/sessions/current", { ...own, method: "DELETE" }, at(1))).status).toBe(200);
    expect((await ask("/api/v1/users/me", own, at(0))).status).toBe(401);
  }, 60_000);

  it("given a page of one server, then its form is taken by the other", async () => {
    const page = await ask("/auth/login", {}, at(0));
    const cookies = page.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
    const next = new URL(page.headers.get("location") ?? "", nginx.address);
    const [here, there] = await Promise.all([0, 1].map((index) => ask(`${next.pathname}${next.search}`, { headers: { cookie: cookies } }, at(index))));
    expect([page.status, here?.status]).toEqual([page.status, there?.status]);
    expect(page.status).toBeLessThan(400);
    expect(there?.status).toBeLessThan(400);
  }, 60_000);

  it("given a listener at one server, then it sees changes made at the other, and goes on at the other after the last one", async () => {
    const first = await listen(at(0));
    const change = async (name: string, index: number) => ((await (await ask("/api/v1/sites", json({ name }), at(index))).json()) as { id: string }).id;
    const before = [await change("listen-1", 1), await change("listen-2", 0)];
    await vi.waitFor(() => expect(first.events.map(({ data }) => data.subject)).toEqual(before), { timeout: 20_000 });
    first.close();
    const missed = [await change("listen-3", 0), await change("listen-4", 1)];
    const second = await listen(at(1), first.lastId());
    await vi.waitFor(() => expect(second.events.map(({ data }) => data.subject)).toEqual(missed), { timeout: 20_000 });
    const buffered = await listen(nginx.address, first.lastId());
    await vi.waitFor(() => expect(buffered.events.map(({ data }) => data.subject)).toEqual(missed), { timeout: 20_000 });
    expect(buffered.headers.get("content-encoding")).toBeNull();
    buffered.close();
    second.close();
  }, 60_000);

  /** Stays connected through nginx, whichever server goes, and keeps what it was sent. */
  async function listenOn(): Promise<{ subjects: string[]; breaks(): number; stop(): Promise<void> }> {
    const subjects: string[] = [];
    let [over, breaks] = [false, 0];
    let listener = await listen(nginx.address);
    async function run(): Promise<void> {
      for (let taken = 0; ;) {
        const news = listener.events.slice(taken);
        taken += news.length;
        subjects.push(...news.map(({ data }) => data.subject));
        if (listener.ended() && listener.events.length === taken) {
          if (over) return;
          breaks += 1;
          const again = await listen(nginx.address, listener.lastId()).catch(() => undefined);
          if (again?.status === 200) [listener, taken] = [again, 0];
        }
        await new Promise((resolve) => setImmediate(resolve));
        if (over) return;
      }
    }
    const running = run();
    return {
      subjects, breaks: () => breaks,
      async stop() {
        over = true;
        await running;
        listener.close();
      },
    };
  }

  /** What failed meanwhile: kinds of requests with their answers. */
  async function underLoad(work: (load: SteadyLoad) => Promise<void>): Promise<string[]> {
    const image = ((await (await ask("/api/v1/images", json({ family: "rolling", version: `1.${Date.now()}`, source: "dpkg-status", os: { id: "debian", versionId: "12" }, components: [{ name: "openssl", version: "3.0.17-1~deb12u2", purl: "pkg:deb/debian/openssl@3.0.17-1~deb12u2?arch=amd64&distro=debian-12" }] }))).json()) as { image?: { id: string }; id?: string });
    const listening = await listenOn();
    const load = startLoad({ address: nginx.address, dispatcher: through, token, organization: "current", image: image.image?.id ?? image.id ?? "", each: 2 });
    try {
      await load.more(10);
      await work(load);
      await load.more(10);
    } finally {
      await load.stop();
    }
    await vi.waitFor(() => expect(listening.subjects.length).toBeGreaterThanOrEqual(load.made.length), { timeout: 30_000 });
    await listening.stop();
    console.log(JSON.stringify({ requests: load.counts(), events: listening.subjects.length, reconnections: listening.breaks() }));
    // Each once, and none but those.
    expect([...listening.subjects].sort()).toEqual([...load.made].sort());
    expect(listening.breaks()).toBeGreaterThan(0);
    return Object.entries(load.counts()).flatMap(([kind, of]) => Object.entries(of).filter(([status]) => !succeeded.has(status)).map(([status, times]) => `${kind}: ${times} x ${status}`));
  }

  /** As whoever manages the processes does it: asked to stop, waited for, started anew. */
  async function restart(index: number, version?: string): Promise<void> {
    const server = servers[index] as RunningPlatform;
    process.kill(server.pid, "SIGTERM");
    await vi.waitFor(async () => expect((await ask("/readyz", {}, at(index)).catch(() => ({ status: 503 }))).status).toBe(503), { timeout: 20_000, interval: 20 });
    await vi.waitUntil(() => server.ended(), { timeout: 40_000, interval: 50 });
    servers[index] = await begin(index, version);
  }

  it("given each server started anew under load, one after the other, then no request fails and no event is lost or comes twice", async () => {
    const failed = await underLoad(async (load) => {
      for (const index of [0, 1]) {
        await restart(index);
        await load.more(20);
      }
    });
    expect(failed).toEqual([]);
  }, 400_000);

  it("given a newer version that expands the schema, and one after it that contracts it, then no request fails either", async () => {
    const hasLabel = async () => (await database.query("select from information_schema.columns where table_schema = 'inventory' and table_name = 'sites' and column_name = 'label'")).rowCount === 1;
    const expanded = await nextVersion(join(scratch.path, "expanded"), { "209901010000__inventory_label.sql": expand });
    const contracted = await nextVersion(join(scratch.path, "contracted"), { "209901010000__inventory_label.sql": expand, "209901010001__inventory_label_gone.sql": contract });
    const failed = await underLoad(async (load) => {
      expect(await hasLabel()).toBe(false);
      await restart(0, expanded);
      expect(await hasLabel()).toBe(true);
      // Old and new serve side by side.
      await load.more(20);
      await restart(1, expanded);
      await load.more(20);
      const { rows } = await database.query<{ set: number }>("select count(*) filter (where label <> '')::int as set from inventory.sites");
      expect(rows[0]?.set).toBeGreaterThan(0);
      await restart(0, contracted);
      expect(await hasLabel()).toBe(false);
      await load.more(20);
      await restart(1, contracted);
    });
    expect(failed).toEqual([]);
  }, 600_000);
});

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { connect } from "node:tls";
import { Agent, fetch, type RequestInit } from "undici";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createAuthority } from "./support/certificates.ts";
import { startNginx, type Nginx, type Pair } from "./support/nginx.ts";
import { describeWith } from "./support/peer.ts";
import { dataFolder, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { startPostgres15, type Postgres15 } from "./support/postgres15.ts";
import { freePort, temporaryFolder } from "./support/process.ts";

const password = "a password behind nginx";

describeWith(["nginx", "openssl", "postgresql"], "two servers behind nginx", () => {
  let tls: Awaited<ReturnType<typeof temporaryFolder>>;
  let postgres: Postgres15;
  const folders: Awaited<ReturnType<typeof dataFolder>>[] = [];
  const servers: RunningPlatform[] = [];
  const start: ((port: number) => Promise<RunningPlatform>)[] = [];
  let nginx: Nginx;
  let gateway: Pair;
  let ca: string;
  let agent: Agent;
  let token: string;
  const agents: Agent[] = [];

  /** A caller at an address of this machine. It has a certificate only where it is to pass nginx by. */
  async function callerAt(localAddress: string, pair?: Pair): Promise<Agent> {
    const shown = pair === undefined ? {} : { cert: await readFile(pair.cert), key: await readFile(pair.key) };
    const made = new Agent({ connections: 16, localAddress, connect: { ca, ...shown } });
    agents.push(made);
    return made;
  }

  function ask(path: string, init: RequestInit = {}, dispatcher = agent, address = nginx.address) {
    return fetch(`${address}${path}`, { redirect: "manual", signal: AbortSignal.timeout(60_000), ...init, dispatcher });
  }

  const signedIn = () => ({ authorization: `Bearer ${token}` });
  const json = (body: unknown, more: Record<string, string> = {}): RequestInit => ({ method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...more } });

  beforeAll(async () => {
    [tls, postgres] = await Promise.all([temporaryFolder("nginx-tls"), startPostgres15()]);
    const authority = await createAuthority(tls.path);
    const [front, server] = [await authority.issue("front"), await authority.issue("server")];
    gateway = await authority.issue("gateway");
    ca = await readFile(authority.certificate, "utf8");
    folders.push(await dataFolder("nginx-first"), await dataFolder("nginx-second"));
    const [shared] = folders;
    const env = {
      DATABASE_URL: `${postgres.url}?sslmode=disable`, TLS_CERT: server.cert, TLS_KEY: server.key, TLS_CA: authority.certificate, TRUSTED_PROXIES: "127.0.0.1",
      SECRETS_URL: `file:${join(shared?.path ?? "", "keys")}`, BLOBS_URL: `file:${join(shared?.path ?? "", "blobs")}`, DATABASE_POOL: "8",
    };
    for (const folder of folders) {
      start.push(async (port) => startPlatform(folder.path, { ...env, PORT: String(port), PUBLIC_URL: nginx.address }, { ca: authority.certificate, client: gateway }));
    }
    const ports = [await freePort(), await freePort()];
    nginx = await startNginx(ports.map((port) => `127.0.0.1:${port}`), { front, gateway, ca: authority.certificate });
    for (const [index, begin] of start.entries()) servers.push(await begin(ports[index] as number));
    agent = await callerAt("127.0.0.2");
    const oneTimePassword = servers[0]?.oneTimePassword ?? "";
    const first = (await (await ask("/api/v1/sessions", json({ name: "admin", password: oneTimePassword, door: "cli" }))).json()) as { token: string };
    await ask("/api/v1/users/me/password", { ...json({ currentPassword: oneTimePassword, newPassword: password }, { authorization: `Bearer ${first.token}` }), method: "PUT" });
    ({ token } = (await (await ask("/api/v1/sessions", json({ name: "admin", password, door: "cli" }))).json()) as { token: string });
  }, 300_000);

  afterAll(async () => {
    await Promise.all(agents.map((each) => each.destroy()));
    await nginx?.stop();
    for (const server of servers) await server.stop();
    await postgres?.stop();
    for (const folder of folders) await folder.remove();
    await tls?.remove();
  }, 120_000);

  it("given many requests at once, then both servers are asked, over connections that are kept", async () => {
    const before = (await nginx.requests()).length;
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask("/api/v1/users/me", { headers: signedIn() })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 60 }, () => 200));
    await Promise.all(answers.map((answer) => answer.text()));
    await vi.waitFor(async () => expect((await nginx.requests()).length).toBeGreaterThanOrEqual(before + 60), { timeout: 20_000 });
    const asked = Map.groupBy((await nginx.requests()).slice(before), ({ upstream }) => upstream);
    expect([...asked.keys()].sort()).toEqual(servers.map(({ address }) => new URL(address).host).sort());
    for (const requests of asked.values()) expect(requests.length).toBeGreaterThan(10);
    for (let n = 0; n < 20; n++) await (await ask("/api/v1/users/me", { headers: signedIn() })).text();
    await vi.waitFor(async () => expect((await nginx.requests()).length).toBeGreaterThanOrEqual(before + 80), { timeout: 20_000 });
    // A new one costs two round trips and a handshake on both sides.
    expect((await nginx.requests()).slice(before + 60).filter(({ upstreamConnect }) => upstreamConnect === "0.000").length).toBeGreaterThan(14);
  }, 120_000);

  it("given HTTPS outside, then cookies are secure, plain HTTP leads there, and /metrics is for nobody", async () => {
    const page = await ask("/sign-in");
    await page.text();
    const login = await ask("/auth/login");
    await login.text();
    const cookies = [...page.headers.getSetCookie(), ...login.headers.getSetCookie()];
    expect(cookies.length).toBeGreaterThan(0);
    expect(cookies.filter((cookie) => !/; Secure/i.test(cookie) || !/; HttpOnly/i.test(cookie))).toEqual([]);
    expect(page.headers.get("strict-transport-security")).toBe("max-age=31536000");
    const plain = await fetch(`http://localhost:${nginx.plainPort}/docs?x=1`, { redirect: "manual", headers: { host: "platform.example" } });
    expect([plain.status, plain.headers.get("location")]).toEqual([308, "https://localhost/docs?x=1"]);
    for (const path of ["/metrics", "//metrics", "/%6detrics", "/docs/..%2fmetrics", "/metrics?x"]) expect((await ask(path)).status).toBe(404);
  }, 120_000);

  it("given wrong credentials from one address, then it is held up, whatever it claims, and nobody else", async () => {
    const [rude, polite, direct] = [await callerAt("127.0.0.3"), await callerAt("127.0.0.4"), await callerAt("127.0.0.5", gateway)];
    const wrong = { authorization: `Bearer qis_${"a".repeat(43)}` };
    let claimed = 0;
    /** Each time another address is claimed. */
    async function refusedUntilHeldUp(dispatcher: Agent, address: string): Promise<void> {
      const statuses = new Set<number>();
      for (let n = 0; n < 60 && !statuses.has(429); n++) {
        const answers = await Promise.all(Array.from({ length: 25 }, () => ask("/api/v1/users/me", { headers: { ...wrong, "x-forwarded-for": `198.51.100.${(claimed += 1) % 250}`, forwarded: "for=198.51.100.7" } }, dispatcher, address)));
        await Promise.all(answers.map((answer) => answer.text()));
        for (const { status } of answers) statuses.add(status);
      }
      expect([...statuses].sort()).toEqual([401, 429]);
    }
    await refusedUntilHeldUp(rude, nginx.address);
    expect((await ask("/api/v1/users/me", { headers: signedIn() }, polite)).status).toBe(200);
    // Past nginx, with a certificate that opens the door: its own address counts, because it is no trusted proxy.
    await refusedUntilHeldUp(direct, servers[0]?.address.replace("127.0.0.1", "localhost") ?? "");
    expect((await ask("/api/v1/users/me", { headers: signedIn() }, polite)).status).toBe(200);
  }, 240_000);

  /** What is answered to a request that says that its body has so many bytes, before the first of them is sent. */
  function statusOfBody(path: string, bytes: number): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "localhost", port: nginx.port, ca, servername: "localhost" }, () => {
        socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${bytes}\r\n\r\n`);
      });
      socket.setTimeout(30_000, () => socket.destroy(new Error("no answer")));
      socket.once("data", (data) => {
        resolve(/^HTTP\/1.1 (\d+)/.exec(data.toString())?.[1]);
        socket.destroy();
      });
      socket.once("error", reject);
    });
  }

  it("given an upload as it comes, then it is handed on as it comes, and its progress comes back", async () => {
    const record = (n: number) => `${JSON.stringify({ id: `TEST-${n}`, modified: "2026-11-01T00:00:00Z", affected: [{ package: { ecosystem: "npm", name: `p${n}` }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }] }] }] })}\n`;
    async function* lines(): AsyncGenerator<Uint8Array> {
      for (let n = 0; n < 200; n++) {
        yield new TextEncoder().encode(record(n));
        if (n % 50 === 0) await turn();
      }
    }
    const answer = await ask("/api/v1/feeds/test/import", { method: "POST", body: lines(), duplex: "half", headers: { ...signedIn(), "content-type": "application/x-ndjson", accept: "application/x-ndjson" } });
    const text = await answer.text();
    expect({ status: answer.status, text }).toMatchObject({ status: 200, text: expect.stringMatching(/"result":\{.*"records":200/s) as string });
    expect(await statusOfBody("/api/v1/sites", 64 * 1024 * 1024 + 1)).toBe("413");
    expect(await statusOfBody("/api/v1/feeds/test/import", 2 ** 40)).toBe("401");
  }, 120_000);

  it.each(["SIGTERM", "SIGKILL"] as const)("given %s for one server under load, then no read fails, and no change is done twice", async (signal) => {
    const [stopped] = servers;
    const port = Number(new URL(stopped?.address ?? "").port);
    const before = (await nginx.requests()).length;
    const reads: number[] = [];
    const writes: { name: string; status: number }[] = [];
    const removals: number[] = [];
    let over = false;
    async function reader(): Promise<void> {
      while (!over) {
        const answer = await ask("/api/v1/sites?limit=5", { headers: signedIn() });
        await answer.text();
        reads.push(answer.status);
      }
    }
    /** Without an Idempotency-Key: a request that was done and came again would answer 409, because the name is taken. */
    async function writer(number: number): Promise<void> {
      for (let n = 0; !over; n++) {
        const name = `${signal}-${number}-${n}`;
        const answer = await ask("/api/v1/sites", json({ name }, signedIn()));
        await answer.text();
        writes.push({ name, status: answer.status });
      }
    }
    /** What it asks for is not there: whether it was sent once is what counts. */
    async function remover(): Promise<void> {
      while (!over) {
        const answer = await ask("/api/v1/api-keys/key_01jd0000000000000000000000", { method: "DELETE", headers: signedIn() });
        await answer.text();
        removals.push(answer.status);
      }
    }
    const enough = (more: number) => {
      const [r, w] = [reads.length + more, writes.length + more];
      return vi.waitUntil(() => reads.length >= r && writes.length >= w, { timeout: 120_000, interval: 20 });
    };
    const load = Promise.all([...[1, 2, 3, 4].map(reader), ...[1, 2, 3, 4].map(writer), ...[1, 2, 3, 4].map(remover)]);
    try {
      await enough(40);
      await stopped?.stop(signal);
      await enough(40);
    } finally {
      over = true;
      await load;
    }
    expect(reads.filter((status) => status !== 200)).toEqual([]);
    // Cut off under way, or refused by the server that stops: whoever asked is told, and asks again.
    expect(writes.filter(({ status }) => ![201, 502, 503].includes(status))).toEqual([]);
    expect(removals.filter((status) => ![404, 502, 503].includes(status))).toEqual([]);
    const sites = new Set<string>();
    for (let cursor: string | undefined; ;) {
      const page = (await (await ask(`/api/v1/sites?${new URLSearchParams({ limit: "1000", ...(cursor === undefined ? {} : { cursor }) })}`, { headers: signedIn() })).json()) as { items: { name: string }[]; next?: string };
      for (const { name } of page.items) sites.add(name);
      cursor = page.next;
      if (cursor === undefined) break;
    }
    expect(writes.filter(({ name, status }) => status === 201 && !sites.has(name))).toEqual([]);
    const sentTwice = (await nginx.requests()).slice(before).filter(({ method, upstreamBytes }) => method !== "GET" && upstreamBytes.split(", ").filter((bytes) => Number(bytes) > 0).length > 1);
    expect(sentTwice).toEqual([]);
    servers[0] = await (start[0] as (port: number) => Promise<RunningPlatform>)(port);
    await vi.waitFor(async () => {
      await (await ask("/healthz")).text();
      expect((await nginx.requests()).slice(-20).some(({ upstream }) => upstream === `127.0.0.1:${port}`)).toBe(true);
    }, { timeout: 60_000, interval: 100 });
  }, 400_000);

  it("given what was logged, then it is one JSON value a line, without queries and links that are secret", async () => {
    await (await ask("/reset/rst_0123456789abcdefghij?next=secret")).text();
    const logged = await vi.waitUntil(async () => (await nginx.requests()).find(({ path }) => path.startsWith("/reset")), { timeout: 20_000, interval: 50 });
    expect(logged).toMatchObject({ path: "/reset/...", method: "GET", address: "127.0.0.2", requestId: expect.stringMatching(/^[\w.-]{8,64}$/) as string });
    expect(JSON.stringify(await nginx.requests())).not.toMatch(/rst_0123|next=secret|qis_/);
  }, 60_000);
});

import { chown, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { systemClock } from "../../src/platform/clock.ts";
import { openRedis } from "../../src/platform/redis/redis.ts";
import { engineTls, readTlsFiles } from "../../src/platform/tls/index.ts";
import { createAuthority, type Authority } from "./support/certificates.ts";
import { describeWith, program } from "./support/peer.ts";
import { dataFolder, startPlatform } from "./support/platform.ts";
import { startPostgres15, type Postgres15 } from "./support/postgres15.ts";
import { freePort, startServer, temporaryFolder, unprivilegedUser } from "./support/process.ts";

const log = pino({ level: "silent" });

describeWith(["openssl", "postgresql", "redis"], "mutual TLS to the engines", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let authority: Authority;
  let ours: { cert: string; key: string };
  let postgres: Postgres15;
  let redis: ReturnType<typeof startServer>;
  let redisUrl: string;
  beforeAll(async () => {
    folder = await temporaryFolder("engines-tls", await unprivilegedUser("postgres", "nobody"));
    authority = await createAuthority(folder.path);
    const [engine, mine] = await Promise.all([authority.issue("engine"), authority.issue("qinfra")]);
    ours = mine;
    postgres = await startWithTls(engine);
    const port = await freePort();
    redisUrl = `rediss://127.0.0.1:${port}`;
    redis = startServer(program("redis", "redis-server"), [
      "--port", "0", "--tls-port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
      "--tls-cert-file", engine.cert, "--tls-key-file", engine.key, "--tls-ca-cert-file", authority.certificate, "--tls-auth-clients", "yes",
    ]);
  });
  afterAll(async () => {
    await redis?.stop();
    await postgres?.stop();
    await folder?.remove();
  });

  /** Everybody over TLS with a certificate; without, only the superuser, by whom the test sees that it is up. */
  async function startWithTls(engine: { cert: string; key: string }): Promise<Postgres15> {
    const user = await unprivilegedUser("postgres", "nobody");
    const place = join(folder.path, "postgres-tls");
    await mkdir(place, { mode: 0o711 });
    const file = async (name: string, from: string) => {
      const path = join(place, name);
      await copyFile(from, path);
      if (user !== undefined) await chown(path, user.uid, user.gid);
      return path;
    };
    await writeFile(join(place, "hba.conf"), "hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\nhostnossl all postgres 127.0.0.1/32 scram-sha-256\n");
    if (user !== undefined) await chown(place, user.uid, user.gid);
    return startPostgres15({
      ssl: "on", ssl_cert_file: await file("server.crt", engine.cert), ssl_key_file: await file("server.key", engine.key),
      ssl_ca_file: await file("ca.crt", authority.certificate), hba_file: await file("pg_hba.conf", join(place, "hba.conf")),
    });
  }

  it("given TLS_CA, then every connection to PostgreSQL and Redis shows our certificate", async () => {
    const data = await dataFolder("engines-tls-platform");
    const platform = await startPlatform(data.path, {
      DATABASE_URL: postgres.url, CACHE_URL: redisUrl, TLS_CERT: ours.cert, TLS_KEY: ours.key, TLS_CA: authority.certificate,
    }, { ca: authority.certificate, client: ours });
    const superuser = new pg.Client({ connectionString: postgres.url });
    await superuser.connect();
    try {
      const { rows } = await superuser.query<{ name: string; ssl: boolean; dn: string | null }>(`
        select a.application_name as name, s.ssl, s.client_dn as dn from pg_stat_activity a join pg_stat_ssl s using (pid) where a.application_name like 'qinfra%'`);
      expect(new Set(rows.map((row) => row.name))).toEqual(new Set(["qinfra app", "qinfra system", "qinfra direct", "qinfra workflows"].filter((name) => rows.some((row) => row.name === name))));
      expect(rows.length).toBeGreaterThan(1);
      expect(rows.filter((row) => !row.ssl || row.dn !== "/CN=qinfra")).toEqual([]);
      // A machine that has much to do may let a connection wait too long; what counts is that it is made.
      await vi.waitFor(async () => {
        const log = await platform.log();
        expect(log.lastIndexOf("Redis is away"), log.slice(-2_000)).toBeLessThanOrEqual(log.lastIndexOf("Redis is back"));
      }, { timeout: 30_000, interval: 200 });
    } finally {
      await superuser.end();
      await platform.stop();
      await data.remove();
    }
  });

  it("given a certificate that is replaced, then new connections of the thread that runs workflows show it", { timeout: 120_000 }, async () => {
    const [data, place] = [await dataFolder("engines-tls-renewed"), await temporaryFolder("engines-tls-files")];
    const renewed = await authority.issue("renewed");
    const files = { cert: join(place.path, "server.crt"), key: join(place.path, "server.key") };
    const put = (pair: typeof ours) => Promise.all([copyFile(pair.cert, files.cert), copyFile(pair.key, files.key)]);
    await put(ours);
    const superuser = new pg.Client({ connectionString: postgres.url });
    await superuser.connect();
    await superuser.query("create database postgres_renewed");
    const platform = await startPlatform(data.path, {
      DATABASE_URL: `${postgres.url}_renewed`, TLS_CERT: files.cert, TLS_KEY: files.key, TLS_CA: authority.certificate,
    }, { ca: authority.certificate, client: ours });
    const shown = async (): Promise<string[]> => (await superuser.query<{ dn: string }>(`
      select distinct s.client_dn as dn from pg_stat_activity a join pg_stat_ssl s using (pid) where a.application_name = 'qinfra workflows' and a.datname = 'postgres_renewed'`)).rows.map(({ dn }) => dn);
    try {
      await expect.poll(shown, { timeout: 30_000 }).toEqual(["/CN=qinfra"]);
      await put(renewed);
      await expect.poll(() => platform.log(), { timeout: 30_000 }).toContain("the certificate was replaced");
      await superuser.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'qinfra workflows' and datname = 'postgres_renewed'");
      await expect.poll(shown, { timeout: 30_000 }).toEqual(["/CN=renewed"]);
    } catch (error) {
      throw new Error(await platform.log(), { cause: error });
    } finally {
      await superuser.end();
      await platform.stop();
      await data.remove();
      await place.remove();
    }
  });

  it("given another authority's certificate or none, then Redis lets nobody in", async () => {
    const other = await createAuthority(folder.path, "other");
    const stranger = await other.issue("qinfra");
    const clock = systemClock;
    const tlsOf = async (files: { cert: string; key: string }, ca: string) => {
      const material = await readTlsFiles({ ...files, ca }, clock);
      return engineTls(() => material);
    };
    const right = await tlsOf(ours, authority.certificate);
    const wrong = await tlsOf(stranger, authority.certificate);
    const unsure = await tlsOf(ours, other.certificate);
    const health = async (tls: object | undefined): Promise<string> => {
      const client = openRedis({ url: redisUrl, log, clock, answerMs: 2_000, ...(tls === undefined ? {} : { tls }) });
      try {
        await expect.poll(() => client.health(), { timeout: 3_000 }).toBe("ok").catch(() => undefined);
        return await client.health();
      } finally {
        await client.close();
      }
    };
    expect(await health(right)).toBe("ok");
    expect(await health(wrong)).toContain("cannot be reached");
    expect(await health(unsure)).toContain("cannot be reached");
    expect(await health({ ca: await readFile(authority.certificate) })).toContain("cannot be reached");
  });
});

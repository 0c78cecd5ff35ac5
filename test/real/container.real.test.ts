import { execFile } from "node:child_process";
import { chmod, chown, copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { Agent, fetch } from "undici";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { startNginx } from "./support/nginx.ts";
import { describeWith, program } from "./support/peer.ts";
import { claim, root } from "./support/platform.ts";
import { importBase, openPodman, type Podman } from "./support/podman.ts";
import { startPostgres15, type Postgres15 } from "./support/postgres15.ts";
import { freePort, startServer } from "./support/process.ts";

const node = join(root, `node_modules/node-linux-${process.arch}/bin/node`);
const limits = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"];
const hardened = ["--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--pull=never", "--network=host", ...limits];
const image = "localhost/qinfra:test";
const user = 65_532;

interface Compose {
  services: Record<string, { environment: Record<string, string>; secrets: string[]; healthcheck: { test: string[] }; entrypoint: string[] }>;
  secrets: Record<string, { file: string }>;
}

interface Inspected {
  Size: number;
  Config: { User: string; Entrypoint: string[]; Cmd: string[]; Env: string[]; Volumes: Record<string, unknown> };
}

describeWith(["podman", "postgresql", "openssl", "nginx", "redis"], "the image", () => {
  let podman: Podman;
  let postgres: Postgres15;
  let data: string;
  let secret: string;
  let port: number;
  beforeAll(async () => {
    podman = await openPodman();
    [postgres, port] = await Promise.all([startPostgres15(), freePort()]);
    await importBase(podman, "base", node);
    await importBase(podman, "build-base", node, { [node]: "/usr/bin/node" });
    // The packages are mounted as they are installed here, so that nothing is fetched.
    await podman.run(
      "build", "--quiet", "--pull=never", "--network=none", ...limits, "--volume", `${join(root, "node_modules")}:/src/node_modules:ro`,
      "--build-arg", "BASE=localhost/base:1", "--build-arg", "BUILDER=localhost/build-base:1", "--file", join(root, "deploy/Containerfile"), "--tag", image, root,
    );
    data = join(podman.folder, "data");
    secret = join(podman.folder, "database-url");
    await mkdir(data, { mode: 0o700 });
    await writeFile(secret, `${postgres.url}\n`, { mode: 0o400 });
    await Promise.all([chown(data, user, user), chown(secret, user, user), chmod(podman.folder, 0o711)]);
  }, 600_000);
  afterAll(async () => {
    await podman?.remove();
    await postgres?.stop();
  }, 120_000);

  it("given the Containerfile, then the image is under 250 MB, also with 80 MB of base, and runs as an ordinary user", async () => {
    const [found] = JSON.parse(await podman.run("image", "inspect", image)) as [Inspected];
    const [base] = JSON.parse(await podman.run("image", "inspect", "localhost/base:1")) as [Inspected];
    console.info(`image ${(found.Size / 1e6).toFixed(0)} MB, of which base ${(base.Size / 1e6).toFixed(0)} MB`);
    expect(found.Size).toBeLessThan(250e6);
    expect(found.Size - base.Size).toBeLessThan(170e6);
    expect(found.Config).toMatchObject({ User: `${user}:${user}`, Entrypoint: ["/usr/local/bin/node", "/app/dist/main.mjs"], Cmd: ["serve"], Volumes: { "/var/lib/qinfra": {} } });
  });

  it("given DATABASE_URL=embedded, then it says that there is no PostgreSQL in the image, and what to do", async () => {
    const { code, stderr } = await podman.ask("run", "--rm", ...hardened, "--env", "PORT=0", image);
    expect(code).toBe(1);
    expect(stderr).toMatch(/set DATABASE_URL to a PostgreSQL server \(15 to 18\)/);
  }, 300_000);

  it("given a PostgreSQL and a read-only root, then it serves, writes only its volume, drains on SIGTERM and ends with 0", async () => {
    const mounts = ["--volume", `${data}:/var/lib/qinfra`, "--volume", `${secret}:/run/secrets/database-url:ro`];
    const settings = ["--env", "DATABASE_URL_FILE=/run/secrets/database-url", "--env", "HOST=127.0.0.1", "--env", `PORT=${port}`];
    const id = await podman.run("run", "--detach", ...hardened, ...mounts, ...settings, image);
    const address = `http://127.0.0.1:${port}`;
    const logs = async () => {
      const { stdout, stderr } = await podman.ask("logs", id);
      return stdout + stderr;
    };
    try {
      await vi.waitFor(async () => expect((await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(5_000) })).status).toBe(200), { timeout: 120_000, interval: 500 });
    } catch (error) {
      throw new Error(await logs(), { cause: error });
    }
    const pid = await podman.run("inspect", "--format", "{{.State.Pid}}", id);
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    expect(status).toMatch(new RegExp(`^Uid:\\s+${user}\\s+${user}`, "m"));
    expect(status).toMatch(/^CapEff:\s+0{16}$/m);
    expect(status).toMatch(/^CapBnd:\s+0{16}$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(await readFile(`/proc/${pid}/environ`, "utf8")).not.toContain(postgres.password);
    expect(await podman.run("exec", id, "/usr/local/bin/node", "/app/healthcheck.mjs")).toContain('"status":"ready"');

    const password = await podman.run("exec", id, "/usr/local/bin/node", "/app/dist/main.mjs", "first-password");
    const client = await claim(address, "admin", password, "a password for the container");
    await client.call("POST", "/api/v1/sites", { name: "in a container" });
    await client.close();
    const again = await podman.ask("exec", id, "/usr/local/bin/node", "/app/dist/main.mjs", "first-password");
    expect(again).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("was used") as string });

    expect((await readdir(data)).sort()).toEqual(expect.arrayContaining(["keys"]));
    // Mount points are made by the runtime; everything else would be ours.
    const changed = (await podman.run("diff", id)).split("\n").filter((line) => !/^C \/(etc|run|var|var\/lib)?$|^[AC] \/(dev|proc|sys|tmp|etc|run|var\/lib\/qinfra)(\/|$)/.test(line));
    expect(changed.filter(Boolean)).toEqual([]);

    await podman.run("stop", "--time", "60", id);
    expect(await podman.run("inspect", "--format", "{{.State.ExitCode}}", id)).toBe("0");
    expect(await logs()).toMatch(/"reason":"SIGTERM".*"stopping"[\s\S]*"msg":"stopped"/);
    expect(await logs()).not.toContain(password);
  }, 400_000);

  it("given what compose.yaml gives a server, and what deploy/prepare makes, then it is healthy and nginx and Redis work with it", async () => {
    const deploy = join(podman.folder, "deploy");
    await mkdir(deploy);
    await copyFile(join(root, "deploy/prepare"), join(deploy, "prepare"));
    await promisify(execFile)(join(deploy, "prepare"), ["localhost"], { timeout: 60_000 });
    const made = (name: string) => join(deploy, "secrets", name);
    const compose = parse(await readFile(join(root, "deploy/compose.yaml"), "utf8"), { merge: true }) as Compose;
    const { environment, secrets, healthcheck } = compose.services["server-1"] as Compose["services"][string];
    // Redis and PostgreSQL are at loopback here, not in a network of their own.
    const redisPort = await freePort();
    const redis = startServer(program("redis", "redis-server"), [made("redis_configuration"), "--port", String(redisPort), "--bind", "127.0.0.1", "--dir", deploy]);
    await writeFile(made("database_url"), `${postgres.url.replace(/postgres$/, "composed")}?sslmode=disable\n`);
    await writeFile(made("cache_url"), (await readFile(made("cache_url"), "utf8")).replace("@redis:6379", `@127.0.0.1:${redisPort}`));
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query("create database composed");
    await client.end();
    const folder = join(podman.folder, "composed");
    await mkdir(folder, { mode: 0o700 });
    await chown(folder, user, user);
    const at = await freePort();
    const given = { ...environment, PUBLIC_URL: "https://localhost", HOST: "127.0.0.1", PORT: String(at), TRUSTED_PROXIES: "127.0.0.1" };
    const id = await podman.run(
      "run", "--detach", ...hardened, "--volume", `${folder}:/var/lib/qinfra`, ...Object.entries(given).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...secrets.flatMap((name) => ["--volume", `${join(deploy, compose.secrets[name]?.file ?? "")}:/run/secrets/${name}:ro`]), image,
    );
    const [pair, ca] = [(name: string) => ({ cert: made(`${name}.crt`), key: made(`${name}.key`) }), made("authority.crt")];
    const nginx = await startNginx([`127.0.0.1:${at}`], { front: pair("public"), gateway: pair("gateway"), ca, serverName: "server" });
    const agent = new Agent({ connect: { ca: await readFile(ca) } });
    try {
      await vi.waitFor(async () => expect(await podman.ask("exec", id, ...healthcheck.test.slice(1))).toMatchObject({ code: 0, stdout: expect.stringContaining('"cache":"ok"') as string }), { timeout: 120_000, interval: 1_000 });
      expect(await (await fetch(`${nginx.address}/healthz`, { dispatcher: agent })).json()).toEqual({ status: "ok" });
      expect((await fetch(`${nginx.address}/api/v1/users/me`, { dispatcher: agent })).status).toBe(401);
    } catch (error) {
      throw new Error(`${(await podman.ask("logs", id)).stdout}\n${redis.log()}\n${nginx.log()}`, { cause: error });
    } finally {
      await agent.close();
      await nginx.stop();
      await podman.run("stop", "--time", "60", id);
      await redis.stop();
    }
  }, 400_000);
});

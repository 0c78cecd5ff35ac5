import { spawn } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, matchesGlob, relative } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { poolerVariable } from "../../src/platform/testing/global-postgres.ts";
import { startPgBouncer, type PgBouncer } from "../../src/platform/testing/pgbouncer.ts";
import type { Client } from "./support/client.ts";
import { expectedFindings, mainJob } from "./support/main-job.ts";
import { describeWith, program } from "./support/peer.ts";
import { claim, dataFolder, root, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { startPostgres15, type Postgres15 } from "./support/postgres15.ts";

/** Suites that have nothing to do with a pooler. Everything else runs through one. */
const apart: readonly { files: string; why: string }[] = [
  { files: "test/embedded/**", why: "is about the embedded PostgreSQL itself" },
  { files: "src/app/run.int.test.ts", why: "starts programs with embedded databases of their own" },
  { files: "src/platform/{blobs,http-client,secrets,telemetry,worker}/**", why: "opens no database" },
  { files: "src/surfaces/cli/**", why: "the command line opens no database" },
  { files: "src/surfaces/mcp/stdio/**", why: "opens no database" },
  { files: "src/modules/inventory/collectors/**", why: "collectors open no database" },
  { files: "src/app/schema-golden.int.test.ts", why: "compares a file with the catalogue, as npm run test does" },
];

// The documents are a project of their own, and need no pooler to be true.
const suites = globSync(["src/**/*.int.test.ts", "test/**/*.int.test.ts"], { cwd: root, exclude: ["test/docs/**"] }).map((file) => relative(root, join(root, file)));
const through = suites.filter((file) => !apart.some(({ files }) => matchesGlob(file, files)));

describeWith(["pgbouncer"], "PgBouncer in transaction mode before the integration suite", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "qinfra-pgbouncer-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(apart)("leaves out $files, which is there: it $why", ({ files }) => {
    expect(suites.filter((file) => matchesGlob(file, files))).not.toEqual([]);
  });

  it("given every suite that opens a database, when its doors go through PgBouncer, then all of them pass", async ({ signal }) => {
    const report = join(folder, "report.json");
    const child = spawn(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "integration", "--reporter=json", `--outputFile.json=${report}`, ...through], {
      cwd: root, env: { ...process.env, [poolerVariable]: program("pgbouncer"), VITEST: "" }, stdio: ["ignore", "pipe", "pipe"], signal,
    });
    child.once("error", () => undefined); // what ends it early is the test's own time limit
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-20_000)));
    await new Promise((resolve) => child.once("close", resolve));
    const { testResults } = JSON.parse(await readFile(report, "utf8").catch(() => Promise.reject(new Error(`the suites did not run:\n${said}`)))) as {
      testResults: { name: string; status: string; message: string; assertionResults: { status: string; fullName: string; failureMessages: string[] }[] }[];
    };
    const tests = testResults.flatMap((file) => file.assertionResults.map((test) => ({ file: relative(root, file.name), ...test })));
    const count = (status: string): number => tests.filter((test) => test.status === status).length;
    const transactions = Number(/PgBouncer: (\d+) transactions/.exec(said)?.[1] ?? 0);
    process.stdout.write(`pgbouncer: ${count("passed")} passed, ${count("failed")} failed, ${tests.length - count("passed") - count("failed")} skipped in ${testResults.length} files; ${transactions} transactions went through it\n`);
    for (const { files, why } of apart) process.stdout.write(`pgbouncer: not through it: ${files}, which ${why}\n`);
    const broken = testResults.filter((file) => file.status !== "passed" && file.assertionResults.every((test) => test.status !== "failed")).map((file) => `${relative(root, file.name)}: ${file.message}`);
    expect([...tests.filter((test) => test.status === "failed").map((test) => `${test.file}: ${test.fullName}: ${test.failureMessages[0]}`), ...broken]).toEqual([]);
    expect(testResults.map((file) => relative(root, file.name)).sort()).toEqual([...through].sort());
    expect(count("passed")).toBeGreaterThan(400);
    expect(transactions).toBeGreaterThan(5_000);
  }, 900_000);
});

describeWith(["pgbouncer", "postgresql"], "the platform behind PgBouncer as it is shipped", () => {
  let server: Postgres15;
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let pooler: PgBouncer;
  let platform: RunningPlatform;
  let client: Client;
  const database = new URL("postgres://x/fabric");

  beforeAll(async () => {
    [server, folder] = await Promise.all([startPostgres15({ log_statement: "none" }), dataFolder("pgbouncer-platform")]);
    await run("postgres", ["create database fabric", "create role qinfra_app login", "create role qinfra_system login bypassrls", "create role qinfra_owner nologin"]);
    // As the guide has it run by psql.
    const auth = readFileSync(join(root, "deploy/pgbouncer/auth.sql"), "utf8").replaceAll(":'password'", "'password of the lookup'");
    await run("fabric", [auth]);
    const made = { app: "an app password", system: "a system password" };
    await run("fabric", [`alter role qinfra_app password '${made.app}'`, `alter role qinfra_system password '${made.system}'`]);
    pooler = await startPgBouncer({
      program: program("pgbouncer"), folder: join(folder.path, "pgbouncer"), server: { host: server.host, port: server.port },
      lookup: { user: "pgbouncer", password: "password of the lookup" }, probe: { user: "qinfra_app", password: made.app, database: "fabric" },
    });
    const at = (port: number, user: string, password: string): string => {
      const url = new URL(database);
      Object.assign(url, { host: `127.0.0.1:${port}`, username: user, password });
      return url.href;
    };
    platform = await startPlatform(folder.path, {
      DATABASE_URL: at(pooler.port, server.user, server.password), DATABASE_DIRECT_URL: at(server.port, "not", "used"), DATABASE_POOLER: "transaction",
      DATABASE_APP_URL: at(pooler.port, "qinfra_app", made.app), DATABASE_SYSTEM_URL: at(pooler.port, "qinfra_system", made.system),
    });
    client = await claim(platform.address, "admin", platform.oneTimePassword ?? "", "a password behind PgBouncer");
  });
  afterAll(async () => {
    await client?.close();
    await platform?.stop();
    await pooler?.stop();
    await server?.stop();
    await folder?.remove();
  });

  async function run(name: string, statements: readonly string[]): Promise<void> {
    const admin = new pg.Client({ connectionString: server.url.replace(/[^/]*$/, name) });
    await admin.connect();
    try {
      for (const text of statements) await admin.query(text);
    } finally {
      await admin.end();
    }
  }

  it("given the examples, when they are imported and registered, then the findings are right and the log is whole", async () => {
    expect((await mainJob(client)).findings).toEqual(expectedFindings);
    const verified = await vi.waitUntil(async () => {
      const answer = await client.call<{ whole: boolean; unsealed: number; problems: number }>("POST", "/api/v1/audit/verify", {});
      return answer.unsealed === 0 ? answer : undefined;
    }, { timeout: 10_000 });
    expect(verified).toMatchObject({ whole: true, problems: 0 });
  });

  it("given it serves, then its statements go through the pooler, and only what needs a session goes past it", async () => {
    expect(await pooler.transactions().catch(() => 0)).toBeGreaterThan(100);
    const admin = new pg.Client({ connectionString: server.url.replace(/[^/]*$/, "fabric") });
    await admin.connect();
    const { rows } = await admin.query<{ name: string }>("select application_name as name from pg_stat_activity where datname = 'fabric' and query like 'listen %' or application_name = 'qinfra direct'");
    await admin.end();
    expect(new Set(rows.map(({ name }) => name))).toEqual(new Set(["qinfra direct"]));
  });
});

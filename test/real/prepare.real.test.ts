import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readTlsFiles } from "../../src/platform/tls/index.ts";
import { describeWith, program } from "./support/peer.ts";
import { root } from "./support/platform.ts";
import { temporaryFolder } from "./support/process.ts";

const exec = promisify(execFile);

describeWith(["openssl"], "deploy/prepare", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const at = (name: string) => join(folder.path, "secrets", name);
  const prepare = (host: string) => exec(join(folder.path, "prepare"), [host], { timeout: 60_000 });
  const all = async () => Object.fromEntries(await Promise.all((await readdir(join(folder.path, "secrets"))).map(async (name) => [name, await readFile(at(name), "utf8")] as const)));
  beforeAll(async () => {
    folder = await temporaryFolder("prepare");
    await mkdir(folder.path, { recursive: true });
    await cp(join(root, "deploy/prepare"), join(folder.path, "prepare"));
    await prepare("qinfra.example");
  });
  afterAll(() => folder.remove());

  it("given a host, then certificates are of one authority and made out to who shows them", async () => {
    for (const [name, subject] of [["server", "server"], ["gateway", "gateway"], ["public", "qinfra.example"]] as const) {
      const usage = name === "gateway" ? "sslclient" : "sslserver";
      expect((await exec(program("openssl"), ["verify", "-CAfile", at("authority.crt"), "-purpose", usage, ...(usage === "sslserver" ? ["-verify_hostname", subject] : []), at(`${name}.crt`)])).stdout).toContain(": OK");
      await readTlsFiles({ cert: at(`${name}.crt`), key: at(`${name}.key`), ca: at("authority.crt") }, { now: () => Date.now() });
    }
  });

  it("given what it made, then the folder is closed, the authority's key too, and passwords are where they belong", async () => {
    expect((await stat(join(folder.path, "secrets"))).mode & 0o777).toBe(0o700);
    expect((await stat(at("authority.key"))).mode & 0o777).toBe(0o600);
    const made = await all();
    const password = made["postgres_password"]?.trim() ?? "";
    expect(password).toMatch(/^[0-9a-f]{64}$/);
    expect(made["database_url"]).toBe(`postgres://postgres:${password}@postgres:5432/fabric?sslmode=disable\n`);
    expect(made["redis_configuration"]).toContain(`requirepass ${made["redis_password"]?.trim()}\n`);
    expect(await readFile(join(folder.path, ".env"), "utf8")).toBe("PUBLIC_URL=https://qinfra.example\n");
  });

  it("given a second run, then everything stays as it is; given no name of a host, then it says so", async () => {
    const before = await all();
    await prepare("qinfra.example");
    expect(await all()).toEqual(before);
    await expect(prepare("a b;c")).rejects.toMatchObject({ code: 2, stderr: "a b;c is not the name of a host\n" });
  });
});

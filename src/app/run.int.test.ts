import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compiled } from "../platform/testing/program.ts";
import { packageRoot } from "./root.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "qinfra-run-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the program to its end; these refuse before anything is started. */
async function run(command: string, env: Record<string, string>, ...args: string[]): Promise<{ code: number; stderr: string }> {
  const child = spawn(process.execPath, [join(packageRoot(), "src/main.ts"), command, ...args], { env: { ...compiled, PATH: process.env["PATH"] ?? "", DATA_DIR: join(folder, "data"), ...env } });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.resume();
  const [code] = (await once(child, "close")) as [number];
  return { code, stderr };
}

it.each([
  ["up", { HOST: "0.0.0.0" }, "listens on this machine only"],
  ["up", { PORT: "http" }, 'PORT: "http" is not allowed'],
  ["serve", { DATABASE_URL: "mysql://u:geheim@h/d", LOG_LEVEL: "loud" }, "LOG_LEVEL"],
  ["serve", { JWT_ISSUERS: "[" }, "JWT_ISSUERS: is not JSON"],
  ["serve", { DATABASE_URL_FILE: "/nowhere/url" }, "DATABASE_URL_FILE: /nowhere/url cannot be read (ENOENT)"],
])("qinfra %s refuses %j and says why", async (command, env, said) => {
  const { code, stderr } = await run(command, env);
  expect(code).toBe(1);
  expect(stderr).toContain(said);
  expect(stderr).not.toContain("geheim");
});

it("refuses arguments, which would be ignored", async () => {
  expect((await run("up", {}, "--port", "8081")).stderr).toContain("settings come from the environment");
});

it("refuses a data folder that is a file", async () => {
  const file = join(folder, "file");
  await writeFile(file, "");
  expect(await run("up", { DATA_DIR: file })).toMatchObject({ code: 1, stderr: expect.stringContaining(file) });
});

it("says plainly that the port is taken, and the way out", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  const { code, stderr } = await run("up", { PORT: String(port) });
  other.close();
  expect(code).toBe(1);
  expect(stderr).toContain(`Port ${port} of 127.0.0.1 is taken by another program`);
  expect(stderr).toContain(`PORT=${port + 1}`);
});

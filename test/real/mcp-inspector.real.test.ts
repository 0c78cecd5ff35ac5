import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith, program } from "./support/peer.ts";
import { claim, dataFolder, root, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { temporaryFolder } from "./support/process.ts";

interface Tools {
  tools: { name: string; inputSchema: { type: string } }[];
}
interface Called {
  isError?: boolean;
  structuredContent?: Record<string, unknown>;
  content: { text: string }[];
}

describeWith(["mcp-inspector"], "MCP inspector against a running platform", () => {
  let platform: RunningPlatform;
  let data: Awaited<ReturnType<typeof dataFolder>>;
  let home: Awaited<ReturnType<typeof temporaryFolder>>;
  let admin = "";
  let reader = "";

  beforeAll(async () => {
    [data, home] = [await dataFolder("mcp-inspector"), await temporaryFolder("mcp-inspector-home")];
    platform = await startPlatform(data.path);
    const person = await claim(platform.address, "admin", platform.oneTimePassword ?? "", "a password of the inspector");
    const keyWith = async (name: string, scopes: string[]): Promise<string> => (await person.call<{ key: string }>("POST", "/api/v1/api-keys", { name, scopes })).key;
    admin = await keyWith("all", ["images:read", "images:build", "images:delete"]);
    reader = await keyWith("reader", ["images:read"]);
    await person.close();
  });
  afterAll(async () => {
    await platform?.stop();
    await data?.remove();
    await home?.remove();
  });

  /** One run of the inspector's command line; over HTTP with that key, or over `qinfra mcp` with it. */
  function inspect(key: string, era: "auto" | "legacy", ...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const target = [`${platform.address}/mcp`, "--header", `Authorization: Bearer ${key}`];
    return inspectWith([...target, "--protocol-era", era, "--format", "json", ...args]);
  }

  function inspectWith(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const env = { PATH: process.env["PATH"] ?? "", HOME: home.path };
    return new Promise((done) => {
      execFile(program("mcp-inspector"), ["--cli", ...args], { env, timeout: 45_000, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
        done({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, stdout, stderr });
      });
    });
  }

  it.each(["auto", "legacy"] as const)("given a reader and protocol era %s, then it lists what the reader may call", async (era) => {
    const { code, stdout, stderr } = await inspect(reader, era, "--method", "tools/list", "--strict");
    expect(code, stderr).toBe(0);
    const names = resultOf<Tools>(stdout).tools.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["users_me", "images_list", "images_get"]));
    expect(names).not.toContain("images_delete");
    expect(names).not.toContain("members_list");
    // With --strict it looks for schemas that clients cannot read.
    expect(stderr).toMatch(/\b0 errors|^\s*$/);
  });

  it.each(["auto", "legacy"] as const)("given protocol era %s, then a tool answers", async (era) => {
    const { code, stdout, stderr } = await inspect(reader, era, "--method", "tools/call", "--tool-name", "images_list", "--tool-arg", "limit=5");
    expect(code, stderr).toBe(0);
    expect(resultOf<Called>(stdout).structuredContent).toMatchObject({ items: [] });
  });

  it("given tools that change, then one writes, and one that destroys needs a person", async () => {
    const image = { family: "inspected", version: "1.0.0", source: "dpkg-status", os: { id: "debian", versionId: "12" }, components: [] };
    const registered = await inspect(admin, "auto", "--method", "tools/call", "--tool-name", "images_register", "--tool-args-json", JSON.stringify(image));
    expect(registered.code, registered.stderr + registered.stdout).toBe(0);
    const { image: made } = resultOf<Called>(registered.stdout).structuredContent as { image: { id: string } };
    const { stdout } = await inspect(admin, "auto", "--method", "tools/call", "--tool-name", "images_delete", "--tool-args-json", JSON.stringify({ id: made.id }));
    const called = resultOf<Called>(stdout);
    expect(called.isError).toBe(true);
    expect(called.content[0]?.text).toContain("images.delete has not run: it needs the approval of one of role admin (destructive-by-ai)");
    const there = await inspect(reader, "auto", "--method", "tools/call", "--tool-name", "images_get", "--tool-args-json", JSON.stringify({ id: made.id }));
    expect(resultOf<Called>(there.stdout).structuredContent).toMatchObject({ id: made.id });
  });

  it("given no key that is known, then it is refused", async () => {
    const { code, stdout, stderr } = await inspect("qik_stolen", "auto", "--method", "tools/list", "--stored-auth-only");
    expect(code).not.toBe(0);
    expect(`${stdout}${stderr}`).toMatch(/401|unauthor/i);
  });

  it("given qinfra mcp on standard input and output, then it lists the same tools", async () => {
    const direct = resultOf<Tools>((await inspect(reader, "auto", "--method", "tools/list")).stdout);
    const environment = { QINFRA_URL: platform.address, QINFRA_API_KEY: reader, QINFRA_HOME: home.path };
    const variables = Object.entries(environment).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    const { code, stdout, stderr } = await inspectWith([process.execPath, join(root, "src/main.ts"), "mcp", ...variables, "--protocol-era", "auto", "--format", "json", "--method", "tools/list"]);
    expect(code, stderr).toBe(0);
    expect(resultOf<Tools>(stdout).tools).toEqual(direct.tools);
  });
});

function resultOf<T>(stdout: string): T {
  const value = JSON.parse(stdout) as { result?: T };
  return value.result ?? (value as T);
}

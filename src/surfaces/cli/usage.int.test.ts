import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCliPlace, type CliPlace } from "./testing/run.ts";

let place: CliPlace;
beforeAll(async () => {
  place = await createCliPlace();
});
afterAll(() => place.remove());

describe("usage", () => {
  it.each([
    ["a mistyped command", ["thigns", "list"], "unknown command 'thigns'\n(Did you mean things?)"],
    ["a mistyped command in a group", ["things", "lst"], "unknown command 'lst'\n(Did you mean list?)"],
    ["a mistyped option", ["things", "list", "--limti", "3"], "unknown option '--limti'\n(Did you mean --limit?)"],
    ["a word too much", ["things", "list", "x"], "too many arguments"],
    ["a number that is none", ["things", "list", "--limit", "x"], "It must be a whole number."],
    ["a number over its limit", ["things", "create", "a", "--size", "10"], "It must be 9 or less."],
    ["a number under its limit", ["things", "create", "a", "--size", "0"], "It must be 1 or more."],
    ["a word that is no choice", ["things", "list", "--kind", "big"], "It must be one of: small, large."],
    ["a pair that is none", ["things", "create", "a", "--tags", "web"], "It must be KEY=VALUE."],
    ["JSON that is none", ["things", "create", "a", "--os", "{"], "It must be JSON."],
    ["a required argument", ["things", "get"], "<id> is missing.\n  next: qinfra things get <id> [options]; more by --help"],
    ["a required body", ["things", "upload", "thg_1"], "--file is missing."],
    ["a format that there is not", ["things", "list", "--output", "xml"], "Allowed choices are table, json, yaml, jsonl."],
    ["no server", ["things", "list"], "No server is configured, and this command needs one.\n  next: run `qinfra login`, set QINFRA_URL, or give --url"],
    ["a URL that is none", ["things", "list", "--url", "ftp://x"], "--url is not the address of a server."],
    ["an operation without the CLI door", ["things", "hidden"], "unknown command 'hidden'"],
    ["a file that is not there", ["things", "create", "--batch", "nowhere.jsonl", "--url", "http://127.0.0.1:1"], "nowhere.jsonl: there is no such file."],
  ])("%s is exit 2", async (_what, args, said) => {
    const { code, stdout, stderr } = await place.run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(said);
  });

  it("a URL with a password is refused without repeating it", async () => {
    const { code, stderr } = await place.run(["things", "list"], { env: { QINFRA_URL: "http://ada:hunter2@localhost" } });
    expect(code).toBe(2);
    expect(stderr).toContain("QINFRA_URL holds a user name or a password");
    expect(stderr).not.toContain("hunter2");
  });

  it("a key without a server is said, not used in silence", async () => {
    const { code, stderr } = await place.run(["scan", "--sbom", "-"], { env: { QINFRA_API_KEY: "qk_secret" } });
    expect({ code, stderr }).toEqual({ code: 2, stderr: "error: QINFRA_API_KEY is set, but no server is.\n  next: set QINFRA_URL, or give --url\n" });
  });

  it("without a command it shows help on standard error", async () => {
    const { code, stdout, stderr } = await place.run([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Usage: qinfra COMMAND [options]");
  });

  it("a missing manifest says to build", async () => {
    const { code, stderr } = await place.run(["things", "list"], { io: { manifestPath: "/nowhere/operations.json" } });
    expect(code).toBe(2);
    expect(stderr).toContain("npm run build");
  });
});

describe("help", () => {
  it.each([[["--help"]], [["help"]]])("%j lists what there is", async (args) => {
    const { code, stdout, stderr } = await place.run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const line of [/^ {2}scan .*Say which packages/m, /^ {2}things .*list, get, create/m, /^ {2}login /m, /^ {2}completion /m]) expect(stdout).toMatch(line);
  });

  it.each([[["things", "create", "--help"]], [["help", "things", "create"]]])("%j describes fields, examples and exit codes", async (args) => {
    const { code, stdout } = await place.run(args);
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: qinfra things create <name> [options]");
    expect(stdout).toContain("Waits until it is there.");
    expect(stdout).toMatch(/--size <n> +How large \(default: 2\)/);
    expect(stdout).toMatch(/--labels <text> +\(can be repeated\)/);
    expect(stdout).toMatch(/--shared +\(default: true\) \(--no-shared: false\)/);
    expect(stdout).toContain("--idempotency-key <key>");
    expect(stdout).toContain("  qinfra things create 'it'\\''s' --size 3 --ratio 0.5 --no-shared");
    expect(stdout).toContain("Errors of its own: name-taken.");
    expect(stdout).not.toContain("--no-shared  ");
  });

  it("exit codes are a page of their own", async () => {
    expect((await place.run(["help", "exit-codes"])).stdout).toMatch(/130 {2}Interrupted by Ctrl-C/);
  });

  it("the version goes to standard output", async () => {
    expect(await place.run(["--version"])).toEqual({ code: 0, stdout: "1.2.3\n", stderr: "" });
  });

  it("commands of the program are listed and get their arguments as they are", async () => {
    const seen: unknown[] = [];
    const command = { name: "serve", summary: "Serve", load: async () => async (_context: unknown, _options: unknown, args: readonly string[]) => seen.push(args) + 3 };
    expect((await place.run(["--help"], { io: { commands: [command] } })).stdout).toMatch(/^ {2}serve .*Serve$/m);
    expect(await place.run(["serve", "--roles", "api", "x"], { io: { commands: [command] } })).toMatchObject({ code: 4 });
    expect(seen).toEqual([["--roles", "api", "x"]]);
  });
});

describe("config", () => {
  it("prints the settings of CLI and server, secrets masked", async () => {
    const env = { QINFRA_URL: "https://q.example", QINFRA_API_KEY: "qk_secret", DATABASE_URL: "postgres://u:hunter2@db/q" };
    const { code, stdout } = await place.run(["config", "--output", "json"], { env });
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/qk_secret|hunter2/);
    const settings = JSON.parse(stdout) as { name: string; value: string; from: string }[];
    const shown = Object.fromEntries(settings.map(({ name, value, from }) => [name, `${value} (${from})`]));
    expect(shown).toMatchObject({ QINFRA_URL: "https://q.example (environment)", QINFRA_API_KEY: "**** (environment)", PORT: "8080 (default)", DATABASE_URL: "postgres://u:****@db/q (environment)" });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { testManifest } from "./testing/operations.ts";
import { platformOperations } from "./testing/platform-operations.ts";
import { createCliPlace, type CliPlace } from "./testing/run.ts";
import { startPlatformServer, type PlatformServer } from "./testing/server.ts";

let place: CliPlace;
let server: PlatformServer;
const env = (): Record<string, string> => ({ QINFRA_URL: server.url, QINFRA_API_KEY: "qk_secret" });

beforeAll(async () => {
  place = await createCliPlace();
  server = await startPlatformServer();
});
beforeEach(() => {
  server.received.length = 0;
  for (const key of Object.keys(server.answers)) delete server.answers[key];
});
afterAll(async () => {
  await server.close();
  await place.remove();
});

const thing = { id: "thg_1", name: "first", fixedVersion: null, tags: { team: "web" } };
const other = { id: "thg_2", name: "second", fixedVersion: "2.0", tags: {} };

describe("commands that are operations", () => {
  it("sends each field to its place", async () => {
    server.answers["POST /api/v1/things"] = { status: 201, json: { thing } };
    const args = ["things", "create", "first", "--size", "3", "--no-shared", "--tags", "team=web", "--tags", "tier=1", "--labels", "a", "--labels", "b", "--parts", '{"n":1}', "--os", '{"id":"debian"}', "--parent", "null", "--url-value", "http://x.example", "--idempotency-key", "k1", "--organization", "org_1"];
    const { code, stderr } = await place.run(args, { env: env() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [request] = server.received;
    expect(JSON.parse(request?.body ?? "")).toEqual({ name: "first", size: 3, shared: false, tags: { team: "web", tier: "1" }, labels: ["a", "b"], parts: [{ n: 1 }], os: { id: "debian" }, parent: null, url: "http://x.example" });
    expect(request?.headers).toMatchObject({ authorization: "Bearer qk_secret", "idempotency-key": "k1", "qinfra-organization": "org_1", "content-type": "application/json" });
  });

  it("sends path and query, and no content type without a body", async () => {
    server.answers["DELETE /api/v1/things/a%2Fb"] = { json: {} };
    expect(await place.run(["things", "delete", "a/b", "--force"], { env: env() })).toMatchObject({ code: 0 });
    expect(server.received[0]).toMatchObject({ method: "DELETE", url: "/api/v1/things/a%2Fb?force=true", body: "" });
    expect(server.received[0]?.headers["content-type"]).toBeUndefined();
  });

  it.each([
    ["table", "ID     NAME    FIXED VERSION\nthg_1  first   -\nthg_2  second  2.0\n"],
    ["jsonl", `${JSON.stringify(thing)}\n${JSON.stringify(other)}\n`],
    ["yaml", "items:\n  - id: thg_1\n    name: first\n    fixedVersion: null\n    tags:\n      team: web\n  - id: thg_2\n    name: second\n    fixedVersion: \"2.0\"\n    tags: {}\n"],
    ["json", `${JSON.stringify({ items: [thing, other] }, null, 2)}\n`],
  ])("writes a list as %s", async (format, expected) => {
    server.answers["GET /api/v1/things"] = { json: { items: [thing, other] } };
    expect(await place.run(["things", "list", "--output", format], { env: env() })).toEqual({ code: 0, stdout: expected, stderr: "" });
  });

  it("writes one thing as names and values", async () => {
    server.answers["GET /api/v1/things/thg_1"] = { json: thing };
    expect((await place.run(["things", "get", "thg_1"], { env: env() })).stdout).toBe("id             thg_1\nname           first\nfixed version  -\ntags team      web\n");
  });

  it.each([[true, 0, "yes"], [false, 1, "no"]])("shows alone what was asked for, and exits by it: allowed %s", async (allowed, code, said) => {
    server.answers["GET /api/v1/users/me"] = { json: { user: "ada", can: { permission: "images:build", allowed, because: ["role operator in Acme", "a policy"] } } };
    const known = await createCliPlace(testManifest(platformOperations));
    expect(await known.run(["whoami", "--can", "images:build"], { env: env() })).toEqual({ code, stdout: `permission  images:build\nallowed     ${said}\nbecause     role operator in Acme, a policy\n`, stderr: "" });
    expect(server.received[0]?.url).toBe("/api/v1/users/me?can=images%3Abuild");
    server.answers["GET /api/v1/users/me"] = { json: { user: "ada" } };
    expect(await known.run(["whoami"], { env: env() })).toEqual({ code: 0, stdout: "user  ada\n", stderr: "" });
    await known.remove();
  });

  it("says that there is more, and follows the cursors with --all", async () => {
    const pages = { "": { items: [thing], next: "c2" }, c2: { items: [other] } };
    server.answers["GET /api/v1/things"] = (request) => ({ json: pages[(new URL(request.url, server.url).searchParams.get("cursor") ?? "") as keyof typeof pages] });
    const first = await place.run(["things", "list", "--limit", "1"], { env: env() });
    expect(first.stderr).toBe("There is more: add --all, or --cursor c2\n");
    const all = await place.run(["things", "list", "--all", "--output", "jsonl", "--limit", "1", "--kind", "large", "--tag", "x", "--tag", "y"], { env: env() });
    expect(all.stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line).id)).toEqual(["thg_1", "thg_2"]);
    expect(server.received.at(-1)?.url).toBe("/api/v1/things?kind=large&tag=x&tag=y&limit=1&cursor=c2");
    const merged = await place.run(["things", "list", "--all", "--output", "json"], { env: env() });
    expect(JSON.parse(merged.stdout)).toEqual({ items: [thing, other] });
  });

  it("shows progress on standard error and only the answer on standard output", async () => {
    server.answers["POST /api/v1/things"] = { lines: [{ progress: { step: "making", done: 1, total: 4 } }, { progress: { step: "making", done: 2, total: 4 } }, { result: { thing } }] };
    let clock = 0;
    const { stdout, stderr, code } = await place.run(["things", "create", "x", "--output", "json"], { env: env(), io: { now: () => (clock += 2_000) } });
    expect({ code, stderr, answer: JSON.parse(stdout) }).toEqual({ code: 0, stderr: "making: 2 of 4 (50 %)\n", answer: { thing } });
  });

  it.each([["pending", "warning: event evt_1 is still pending"], ["failed", "error: event evt_1 failed"]])("a %s event is said, and exit 2", async (state, said) => {
    server.answers["POST /api/v1/things"] = { json: { thing, event: { id: "evt_1", state } } };
    const { code, stderr } = await place.run(["things", "create", "x"], { env: env() });
    expect(code).toBe(2);
    expect(stderr).toContain(said);
  });

  it.each([["pending", 2, "is not known yet"], ["never-scanned", 2, "nothing was ever scanned"], ["stale", 0, "warning: this list is stale"], ["current", 0, ""]])("a list that is %s exits %i", async (state, exitCode, said) => {
    server.answers["GET /api/v1/things"] = { json: { state, items: [] } };
    for (const args of [["things", "list"], ["things", "list", "--all"]]) {
      const { code, stderr } = await place.run(args, { env: env() });
      expect(code).toBe(exitCode);
      expect(stderr).toContain(said);
    }
  });

  it("sends a file as the body", async () => {
    server.answers["POST /api/v1/things/thg_1/content"] = { json: { bytes: 5 } };
    expect(await place.run(["things", "upload", "thg_1", "--file", "-"], { env: env(), stdin: "hello" })).toMatchObject({ code: 0 });
    expect(server.received[0]).toMatchObject({ body: "hello", headers: { "content-type": "application/octet-stream" } });
  });

  it("runs a pure operation in this process where it can", async () => {
    const pure = async (id: string) => async (input: Record<string, unknown>) => ({ order: -1, id, ...input });
    expect(await place.run(["things", "compare", "1", "2", "--output", "jsonl"], { io: { pure } })).toEqual({ code: 0, stdout: '{"order":-1,"id":"things.compare","left":"1","right":"2"}\n', stderr: "" });
  });
});

describe("refusals", () => {
  const problem = (code: string, status: number) => ({ problem: { code, status, title: "Title", detail: `Detail of ${code}.` } });

  it.each([
    ["not-found", 404, 1, ""], ["permission-missing", 403, 1, ""], ["name-taken", 409, 1, ""], ["invalid-input", 400, 2, ""],
    ["unauthenticated", 401, 2, "  next: run `qinfra login`, or set QINFRA_API_KEY to a key that is valid\n"], ["too-many-requests", 429, 2, "  next: wait, then repeat the command\n"],
    ["internal", 500, 2, "  next: look for the request id in the server's log\n"],
  ])("%s (%i) exits %i", async (code, status, exitCode, next) => {
    server.answers["POST /api/v1/things"] = problem(code, status);
    expect(await place.run(["things", "create", "x", "--output", "json"], { env: env() })).toEqual({ code: exitCode, stdout: "", stderr: `error: Detail of ${code}.\n${next}  code: ${code} (${status}), request: req-12345678\n` });
  });

  it("a problem at the end of progress counts", async () => {
    server.answers["POST /api/v1/things"] = { lines: [{ progress: { step: "a" } }, problem("name-taken", 409)] };
    expect(await place.run(["things", "create", "x"], { env: env() })).toMatchObject({ code: 1, stdout: "" });
  });

  it("an answer that breaks off is no success", async () => {
    server.answers["POST /api/v1/things"] = { lines: [{ progress: { step: "a" } }] };
    const { code, stderr } = await place.run(["things", "create", "x"], { env: env() });
    expect(code).toBe(2);
    expect(stderr).toContain("broke off before it said how the operation ended");
  });

  it("a read is repeated while the server is restarting, a change is not", async () => {
    server.answers["GET /api/v1/things"] = [problem("draining", 503), { json: { items: [] } }];
    expect(await place.run(["things", "list"], { env: env() })).toMatchObject({ code: 0 });
    server.answers["POST /api/v1/things"] = [problem("draining", 503), { json: { thing } }];
    expect(await place.run(["things", "create", "x"], { env: env() })).toMatchObject({ code: 2 });
    expect(server.received.map((request) => request.method)).toEqual(["GET", "GET", "POST"]);
  });

  it.each([
    ["another server", { raw: { type: "text/html", text: "<h1>hi</h1>" } }, "is not QL-RF (status 200)"],
    ["a proxy's error", { status: 504, raw: { type: "text/html", text: "" } }, "is not QL-RF (status 504)"],
    ["a redirect", { status: 302, headers: { location: "https://sso.example/x" } }, "sends requests elsewhere, to https://sso.example/x"],
  ])("%s is told from the platform", async (_what, answer, said) => {
    server.answers["POST /api/v1/things"] = answer;
    const { code, stderr, stdout } = await place.run(["things", "create", "x"], { env: env() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(said);
  });

  it("a server that does not answer is exit 2 with its URL and what to do", async () => {
    const gone = await startPlatformServer();
    await gone.close();
    const { code, stderr } = await place.run(["things", "list"], { env: { QINFRA_URL: gone.url } });
    expect(code).toBe(2);
    expect(stderr).toBe(`error: The server at ${gone.url} does not answer: nothing listens there.\n  next: start it (\`npm run up\` in a checkout), or name another with QINFRA_URL, --url or \`qinfra login --url\`\n`);
  });

  it("a name whose addresses all refuse, and a port that fetch refuses, are said the same way", async () => {
    const gone = await startPlatformServer();
    await gone.close();
    for (const [url, why] of [[gone.url.replace("127.0.0.1", "localhost"), "nothing listens there"], ["http://127.0.0.1:1", "bad port"]] as const) {
      expect((await place.run(["things", "list"], { env: { QINFRA_URL: url } })).stderr).toContain(`error: The server at ${url} does not answer: ${why}.`);
    }
  });

  it("control characters of the server do not reach the terminal", async () => {
    server.answers["GET /api/v1/things"] = { json: { items: [{ ...thing, name: "a\u001b[2Jb\u202ec" }] } };
    expect((await place.run(["things", "list"], { env: env() })).stdout).toContain("a [2Jb c");
  });

  it("Ctrl-C ends a call with 130", async () => {
    const stop = new AbortController();
    server.answers["GET /api/v1/things"] = () => {
      stop.abort(130);
      return { hang: true };
    };
    expect(await place.run(["things", "list"], { env: env(), io: { signal: stop.signal } })).toEqual({ code: 130, stdout: "", stderr: "" });
  });
});

describe("--batch", () => {
  it("runs each line, keeps the order, and the highest code counts", async () => {
    server.answers["POST /api/v1/things"] = (request) => {
      const { name } = JSON.parse(request.body) as { name: string };
      return name === "b" ? { problem: { code: "name-taken", status: 409, title: "T", detail: "b is taken." } } : { json: { thing: { ...thing, name } } };
    };
    const stdin = '{"name":"a"}\n\n{"name":"b"}\n{"nam":"c"}\n{"name":"d","size":5}\n';
    const { code, stdout, stderr } = await place.run(["things", "create", "--size", "4", "--batch", "-", "--idempotency-key", "run1"], { env: env(), stdin });
    expect(code).toBe(2);
    const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
    expect(lines.map((line) => [line.line, line.result?.thing.name ?? line.problem.code])).toEqual([[1, "a"], [3, "name-taken"], [4, "invalid-input"], [5, "d"]]);
    expect(stderr).toContain('line 4: error: There is no field "nam" here.');
    expect(server.received.map((request) => [JSON.parse(request.body).size, request.headers["idempotency-key"]])).toEqual([[4, "run1-1"], [4, "run1-3"], [5, "run1-5"]]);
  });

  it("goes on where a line waits for an approval, and says which request", async () => {
    server.answers["POST /api/v1/things"] = (request) => {
      const { name } = JSON.parse(request.body) as { name: string };
      return name === "a" ? { status: 202, json: { approval: "apr_1", message: "It waits." } } : { json: { thing: { ...thing, name } } };
    };
    const { code, stdout } = await place.run(["things", "create", "--size", "4", "--batch", "-"], { env: env(), stdin: '{"name":"a"}\n{"name":"b"}\n' });
    expect(code).toBe(2);
    const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
    expect(lines).toMatchObject([{ line: 1, pending: { approval: "apr_1" } }, { line: 2, result: { thing: { name: "b" } } }]);
  });

  it("stops where nobody answers", async () => {
    server.answers["POST /api/v1/things"] = { problem: { code: "unauthenticated", status: 401, title: "T", detail: "Sign in." } };
    const { code, stdout } = await place.run(["things", "create", "--batch", "-"], { env: env(), stdin: '{"name":"a"}\n{"name":"b"}\n' });
    expect({ code, stdout, requests: server.received.length }).toEqual({ code: 2, stdout: "", requests: 1 });
  });
});

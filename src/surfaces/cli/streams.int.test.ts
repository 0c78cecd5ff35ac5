import { Type } from "typebox";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { operation } from "../../platform/operation/index.ts";
import { testManifest } from "./testing/operations.ts";
import { createCliPlace, type CliPlace } from "./testing/run.ts";
import { startPlatformServer, type Answer, type PlatformServer } from "./testing/server.ts";

const id = "run_01jd0000000000000000000000";
const notHere = () => Promise.reject(new Error("the CLI calls the server; it never runs a handler"));

/** Of the shape of the platform's own. */
const watched = [
  operation({
    id: "events.watch", http: "GET /api/v1/events/watch", cli: { name: "events watch", columns: ["time", "type", "data.n"] }, summary: "Watch events", permission: "self", reason: "for a test", effect: "read", examples: [{ input: {} }],
    input: Type.Object({ type: Type.Optional(Type.Array(Type.String())), subject: Type.Optional(Type.Array(Type.String())), after: Type.Optional(Type.String()) }), output: Type.Object({ cursor: Type.String() }),
    stream: { event: Type.Object({}), open: () => { throw new Error("the CLI opens no stream by itself"); } }, handle: notHere,
  }),
  operation({
    id: "workflows.get", http: "GET /api/v1/workflows/{id}", cli: { name: "workflows get", positional: ["id"] }, summary: "Show a run", permission: "workflows:read", effect: "read", examples: [{ input: { id } }],
    input: Type.Object({ id: Type.String() }), output: Type.Object({}), handle: notHere,
  }),
];

let place: CliPlace;
let server: PlatformServer;
const env = (): Record<string, string> => ({ QINFRA_URL: server.url, QINFRA_API_KEY: "qk_secret" });

beforeAll(async () => {
  place = await createCliPlace(testManifest(watched));
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

const event = (n: number, type = "things.made") => ({ time: `2026-11-21T12:00:0${n}Z`, type, data: { n } });
const stream = (...numbers: number[]): Answer => ({ raw: { type: "text/event-stream; charset=utf-8", text: `retry: 1\n\n${numbers.map((n) => `id: c${n}\nevent: things.made\ndata: ${JSON.stringify(event(n))}\n\n`).join("")}` } });
const problem = (status: number, code: string): Answer => ({ problem: { code, status, title: "No", detail: `It is ${code}.` } });

describe("qinfra events watch", () => {
  it("goes on where the stream broke off, from the last event, until it is refused", async () => {
    server.answers["GET /api/v1/events/watch"] = [stream(1, 2), problem(503, "draining"), stream(), stream(3), problem(401, "unauthenticated")];
    const { code, stdout, stderr } = await place.run(["events", "watch", "--type", "things.*", "--output", "jsonl"], { env: env() });
    expect(stdout.trim().split("\n").map((line) => JSON.parse(line) as unknown)).toEqual([event(1), event(2), event(3)]);
    expect(server.received.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "c2", "c2", "c2", "c3"]);
    expect(server.received.map(({ url }) => url)).toEqual(server.received.map(() => "/api/v1/events/watch?type=things.*"));
    expect(server.received[0]?.headers).toMatchObject({ accept: "text/event-stream", authorization: "Bearer qk_secret" });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/Connecting again; nothing is left out\.[\s\S]*It is draining\.[\s\S]*error: It is unauthenticated\./) as string]);
  });

  it("shows a line each, in columns", async () => {
    server.answers["GET /api/v1/events/watch"] = [stream(1, 2), problem(401, "unauthenticated")];
    const { stdout } = await place.run(["events", "watch"], { env: env() });
    expect(stdout).toBe("2026-11-21T12:00:01Z  things.made  1\n2026-11-21T12:00:02Z  things.made  2\n");
  });

  it.each([
    { name: "a refusal", answer: problem(403, "permission-missing"), exit: 1, says: "It is permission-missing." },
    { name: "events that are gone", answer: problem(410, "cursor-gone"), exit: 1, says: "It is cursor-gone." },
    { name: "a server that cannot now", answer: problem(503, "draining"), exit: 2, says: "It is draining." },
    { name: "an answer that is no stream", answer: { json: { cursor: "c" } }, exit: 2, says: "a stream was asked for" },
  ])("given $name at first, then that is said, and nothing is asked again", async ({ answer, exit, says }) => {
    server.answers["GET /api/v1/events/watch"] = answer;
    const { code, stdout, stderr } = await place.run(["events", "watch"], { env: env() });
    expect({ code, stdout, stderr, asked: server.received.length }).toEqual({ code: exit, stdout: "", stderr: expect.stringContaining(says) as string, asked: 1 });
  });

  it("given nobody there at first, then it says so", async () => {
    const gone = await startPlatformServer();
    await gone.close();
    const { code, stderr } = await place.run(["events", "watch"], { env: { QINFRA_URL: gone.url, QINFRA_API_KEY: "x" } });
    expect([code, stderr]).toEqual([2, expect.stringContaining("nothing listens there") as string]);
  });
});

describe("qinfra workflows watch", () => {
  const run = (more: object) => ({ id, workflow: "things.make", state: "running", progress: null, failure: null, startedBy: "system", parent: null, createdAt: "2026-11-21T11:59:50.000Z", endedAt: null, cancelling: false, steps: [], waitsFor: [], input: null, output: null, ...more });
  const step = (call: number, more: object = {}) => ({ call, step: `step-${call}`, state: "done", attempt: 1, input: null, output: null, failure: null, startedAt: `2026-11-21T11:59:5${call}.000Z`, ms: 1_200, ...more });
  const failure = { code: "down", message: "It is down" };

  it("shows steps as they finish, goes on after the server was away, and ends with the run", async () => {
    server.answers[`GET /api/v1/workflows/${id}`] = [
      { json: run({ state: "waiting" }) }, { json: run({ steps: [step(1, { state: "retried", failure })] }) },
      problem(503, "draining"), problem(503, "draining"), problem(503, "draining"),
      { json: run({ steps: [step(1, { state: "retried", failure }), step(1, { attempt: 2, startedAt: "2026-11-21T11:59:53.000Z" })], progress: { step: "step-2", done: 1, total: 2 } }) },
      { json: run({ state: "succeeded", endedAt: "2026-11-21T12:00:01.500Z", steps: [step(1, { attempt: 2, startedAt: "2026-11-21T11:59:53.000Z" }), step(2)], output: { hosts: 7, failed: 2, failures: [{ host: "web01" }] } }) },
    ];
    const { code, stdout, stderr } = await place.run(["workflows", "watch", id], { env: env() });
    expect({ code, lines: stdout.trimEnd().split("\n") }).toEqual({
      code: 0,
      lines: [
        `${id}  things.make  waiting`,
        "12:00:00  running",
        "11:59:51  step-1  retried     1.2 s  attempt 1  down: It is down",
        "11:59:53  step-1  done        1.2 s  attempt 2",
        "11:59:52  step-2  done        1.2 s",
        "12:00:01  succeeded after 11.5 s: hosts 7, failed 2",
      ],
    });
    expect(stderr).toContain("It is draining. Asking again.");
    expect(server.received.find(({ url }) => url.startsWith("/api/v1/events/watch"))?.url).toBe(`/api/v1/events/watch?type=workflows.*&subject=${id}`);
  });

  it.each([["succeeded", 0], ["failed", 1], ["cancelled", 1]] as const)("given a run that %s, then it exits with %i", async (state, exit) => {
    server.answers[`GET /api/v1/workflows/${id}`] = { json: run({ state, endedAt: "2026-11-21T12:00:00Z", failure: state === "failed" ? failure : null }) };
    const { code, stdout } = await place.run(["workflows", "watch", id, "--output", "jsonl"], { env: env() });
    expect([code, stdout.trim().split("\n").map((line) => (JSON.parse(line) as { state: string }).state)]).toEqual([exit, [state, state]]);
  });

  it("given a run that there is not, then it says so at once", async () => {
    server.answers[`GET /api/v1/workflows/${id}`] = problem(404, "workflow-run-not-found");
    expect(await place.run(["workflows", "watch", id], { env: env() })).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("workflow-run-not-found") as string });
  });
});

import { Type } from "typebox";
import { sql } from "../../src/platform/database/sql.ts";
import { Conflict, fail } from "../../src/platform/errors.ts";
import { eventType } from "../../src/platform/events/index.ts";
import { operation, type Module } from "../../src/platform/operation/index.ts";

/** What the operations of the probe have done so far; a test clears it. */
export const seen: { prepared: number; handled: number; plans: unknown[] } = { prepared: 0, handled: 0, plans: [] };

const ProbeNoted = eventType({ type: "probe.noted", summary: "The probe was told something", permission: "images:read", data: { count: Type.Integer({ minimum: 0 }) } });

const note = operation({
  id: "probe.note",
  http: "POST /api/v1/probe/notes",
  summary: "Append an event, and fail afterwards where told to",
  permission: "images:build",
  effect: "change",
  input: Type.Object({ text: Type.String({ maxLength: 100 }), fail: Type.Optional(Type.Boolean()) }),
  output: Type.Object({ text: Type.String(), count: Type.Integer() }),
  errors: [Conflict],
  examples: [{ input: { text: "a" } }],
  async prepare() {
    seen.prepared += 1;
    return undefined;
  },
  async handle({ events }, input) {
    seen.handled += 1;
    await events.append({ type: ProbeNoted, subject: `probe_${input.text}`, data: { count: seen.handled } });
    if (input.fail === true) fail(Conflict, "It was told to fail.");
    return { text: input.text, count: seen.handled };
  },
});

const destroy = operation({
  id: "probe.destroy",
  http: "DELETE /api/v1/probe/things/{name}",
  summary: "Destroy a thing as planned",
  permission: "images:delete",
  effect: "destructive",
  input: Type.Object({ name: Type.String({ pattern: "^[a-z]+$" }) }),
  output: Type.Object({ destroyed: Type.String() }),
  examples: [{ input: { name: "thing" } }],
  prepare: async ({ transaction }, { name }) => ({ name, database: (await transaction((db) => db.one<{ n: string }>(sql`select current_database() as n`))).n }),
  plan: ({ name }) => ({ destroy: name }),
  async handle(_context, _input, plan) {
    seen.plans.push(plan);
    return { destroyed: plan.destroy };
  },
});

const broken = operation({
  id: "probe.break",
  http: "GET /api/v1/probe/broken",
  summary: "Fail in a way that nobody declared",
  permission: "self",
  reason: "a probe of the tests",
  effect: "read",
  input: Type.Object({}),
  output: Type.Object({}),
  examples: [{ input: {} }],
  handle: () => Promise.reject(new Error("secret detail 4711")),
});

const confirmed = operation({
  id: "probe.confirmed",
  http: "POST /api/v1/probe/confirmed",
  summary: "Do what asks for a second factor",
  permission: "images:delete",
  effect: "change",
  confirm: "second-factor",
  input: Type.Object({}),
  output: Type.Object({}),
  examples: [{ input: {} }],
  handle: async () => ({}),
});

const old = operation({
  id: "probe.old",
  http: "GET /api/v1/probe/old",
  summary: "Answer as it always did",
  permission: "images:read",
  effect: "read",
  deprecated: { since: "2026-01-01T00:00:00Z", sunset: "2027-01-01T00:00:00Z", use: "probe.break" },
  input: Type.Object({}),
  output: Type.Object({}),
  examples: [{ input: {} }],
  handle: async () => ({}),
});

const kept = operation({
  id: "probe.kept",
  http: "GET /api/v1/probe/kept/{text}",
  summary: "Answer how often it was read",
  permission: "images:read",
  effect: "read",
  cache: { key: ({ text }) => `probe:${text}`, subjects: ({ text }) => [`probe_${text}`], seconds: 60 },
  input: Type.Object({ text: Type.String() }),
  output: Type.Object({ reads: Type.Integer() }),
  examples: [{ input: { text: "a" } }],
  handle: async () => ({ reads: (reads += 1) }),
});
let reads = 0;

/** Operations that show the pipeline at work. */
export const probe: Module = { name: "probe", events: [ProbeNoted], operations: [note, destroy, broken, confirmed, old, kept] };

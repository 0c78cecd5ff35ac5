import { Type } from "typebox";
import { systemTimer } from "../../../platform/events/index.ts";
import { operation } from "../../../platform/operation/index.ts";
import { ProjectionNotFound } from "../errors.ts";
import { Projection, ProjectionName } from "../schemas.ts";
import { allProjections, projectionByName } from "../views.ts";

export const listProjections = operation({
  id: "projections.list",
  http: "GET /api/v1/projections",
  cli: { name: "projections list", columns: ["name", "state", "lag", "lagSeconds", "events", "activeSince", "rebuild.position", "problem"] },
  summary: "List what is computed from the event log, and how far it is",
  permission: "platform:projections",
  effect: "read",
  database: "system",
  input: Type.Object({}),
  output: Type.Object({ items: Type.Array(Projection) }),
  examples: [{ input: {} }],
  handle: async ({ db, clock }) => ({ items: await allProjections(db, clock) }),
});

export const getProjection = operation({
  id: "projections.get",
  http: "GET /api/v1/projections/{name}",
  cli: { name: "projections get", positional: ["name"] },
  summary: "Show a projection, and how far it is built anew",
  permission: "platform:projections",
  effect: "read",
  database: "system",
  input: Type.Object({ name: ProjectionName }),
  output: Projection,
  errors: [ProjectionNotFound],
  examples: [{ input: { name: "analytics.activity" } }],
  handle: ({ db, clock }, { name }) => projectionByName(db, clock, name),
});

const lookMs = 300;

export const watchProjection = operation({
  id: "projections.watch",
  http: "GET /api/v1/projections/{name}/rebuild",
  cli: { name: "projections watch", positional: ["name"], columns: ["name", "state", "build", "matches", "rebuild.position", "rebuild.problem"], failsWhen: { field: "matches", is: false } },
  summary: "Wait until a projection is built anew, with progress",
  description: "Answers at once where it is not being built anew. After the time limit it answers how far it is; building goes on in any case.",
  permission: "platform:projections",
  effect: "read",
  database: "system",
  input: Type.Object({ name: ProjectionName, seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600, default: 600, description: "Time limit" })) }),
  output: Projection,
  errors: [ProjectionNotFound],
  examples: [{ input: { name: "analytics.activity" } }],
  async prepare({ clock, signal, transaction, progress }, { name, seconds = 600 }) {
    for (const until = clock.now() + seconds * 1_000; ; ) {
      const found = await transaction((db) => projectionByName(db, clock, name));
      if (found.rebuild === null || clock.now() >= until) return found;
      progress({ step: `building ${name} anew`, done: found.rebuild.position, total: found.head });
      await systemTimer.sleep(lookMs, signal);
      signal.throwIfAborted();
    }
  },
  handle: (_context, _input, found) => Promise.resolve(found),
});

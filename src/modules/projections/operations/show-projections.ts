import { Type } from "typebox";
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

import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { askBuild, cancelBuild } from "../../../platform/events/index.ts";
import { operation } from "../../../platform/operation/index.ts";
import { ProjectionNotFound } from "../errors.ts";
import { RebuildAsked, RebuildCancelled } from "../events.ts";
import { Projection, ProjectionName } from "../schemas.ts";
import { projectionByName } from "../views.ts";

const input = Type.Object({ name: ProjectionName });
const columns = ["name", "state", "position", "head", "rebuild.build", "rebuild.position", "rebuild.problem"];

export const rebuildProjection = operation({
  id: "projections.rebuild",
  http: "POST /api/v1/projections/{name}/rebuild",
  cli: { name: "projections rebuild", positional: ["name"], columns },
  summary: "Build a projection anew from the whole event log",
  description: "Answers at once; `projections.watch` waits for it and shows how far it is. The build that is there is read until the new one has caught up, then both are compared (`matches`) and the new one takes its place. It goes on after a restart. One that is under way already goes on.",
  permission: "platform:projections",
  effect: "change",
  database: "system",
  input, output: Projection,
  errors: [ProjectionNotFound],
  examples: [{ input: { name: "analytics.activity" } }],
  async handle({ db, clock, events }, { name }) {
    await projectionByName(db, clock, name);
    const asked = await askBuild(db, name, timestamp(clock));
    const found = await projectionByName(db, clock, name);
    if (asked && found.rebuild !== null) await events.append({ type: RebuildAsked, subject: name, data: { build: found.rebuild.build } });
    return found;
  },
});

export const cancelRebuild = operation({
  id: "projections.cancel-rebuild",
  http: "DELETE /api/v1/projections/{name}/rebuild",
  cli: { name: "projections cancel-rebuild", positional: ["name"], columns },
  summary: "Build a projection no further",
  description: "What was built is removed; what is read stays as it is. Nothing happens where it is not being built anew. A build that newer code needs begins again by itself.",
  permission: "platform:projections",
  effect: "change",
  database: "system",
  input, output: Projection,
  errors: [ProjectionNotFound],
  examples: [{ input: { name: "analytics.activity" } }],
  async handle({ db, clock, events }, { name }) {
    const before = await projectionByName(db, clock, name);
    const cancelled = await cancelBuild(db, name, timestamp(clock));
    if (cancelled && before.rebuild !== null) await events.append({ type: RebuildCancelled, subject: name, data: { build: before.rebuild.build } });
    return projectionByName(db, clock, name);
  },
});

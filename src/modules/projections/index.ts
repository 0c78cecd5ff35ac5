import type { Module } from "../../platform/operation/index.ts";
import { RebuildAsked, RebuildCancelled } from "./events.ts";
import { cancelRebuild, rebuildProjection } from "./operations/rebuild-projection.ts";
import { getProjection, listProjections, watchProjection } from "./operations/show-projections.ts";

/** What is computed from the event log, as administrators of the platform see it; computing is the platform's. */
export const projections: Module = {
  name: "projections", operations: [listProjections, getProjection, watchProjection, rebuildProjection, cancelRebuild], events: [RebuildAsked, RebuildCancelled],
};

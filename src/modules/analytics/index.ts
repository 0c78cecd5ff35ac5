import type { Module } from "../../platform/operation/index.ts";
import { listMetrics, showSeries } from "./operations/show-series.ts";
import { activityProjection, exposureProjection } from "./projections.ts";

/** Daily series of what matters, projected from the event log. */
export const analytics: Module = { name: "analytics", operations: [listMetrics, showSeries], projections: [activityProjection, exposureProjection] };

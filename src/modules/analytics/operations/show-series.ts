import { Type } from "typebox";
import { fail, InvalidInput } from "../../../platform/errors.ts";
import { isComplete } from "../../../platform/events/index.ts";
import { operation } from "../../../platform/operation/index.ts";
import { dayOf, daysAfter, daysBetween, seriesOf } from "../domain/days.ts";
import { metricIds, metrics } from "../metrics.ts";
import { activityProjection, exposureProjection } from "../projections.ts";
import { changesBetween } from "../views.ts";

const mostDays = 1_100;
const usualDays = 30;

const Day = (description: string) => Type.String({ format: "date", maxLength: 10, description });
const MetricId = Type.Enum([...metricIds], { description: "Name of a metric" });
const Kind = Type.Enum(["count", "level"], { description: "`count`: how often in the day. `level`: how many there are at the end of the day" });

export const listMetrics = operation({
  id: "analytics.metrics",
  http: "GET /api/v1/analytics/metrics",
  cli: { name: "analytics metrics", columns: ["id", "kind", "summary"] },
  summary: "List the metrics of which there are daily series",
  permission: "analytics:read",
  effect: "read",
  input: Type.Object({}),
  output: Type.Object({ items: Type.Array(Type.Object({ id: MetricId, kind: Kind, summary: Type.String() })) }),
  examples: [{ input: {} }],
  handle: () => Promise.resolve({ items: [...metrics] }),
});

export const showSeries = operation({
  id: "analytics.series",
  http: "GET /api/v1/analytics/series",
  cli: { name: "analytics series", positional: ["metric"], columns: ["day", "value"] },
  summary: "Show a metric of the organization day by day",
  description: `Days are those of UTC, both ends included, at most ${mostDays}; a day on which nothing happened has its value too. Without \`from\` and \`to\` the last ${usualDays} days.`,
  permission: "analytics:read",
  effect: "read",
  snapshot: true,
  input: Type.Object({ metric: MetricId, from: Type.Optional(Day("First day")), to: Type.Optional(Day("Last day; today where it is not given")) }),
  output: Type.Object({
    metric: MetricId,
    kind: Kind,
    complete: Type.Boolean({ description: "False while events of the organization were not counted yet" }),
    items: Type.Array(Type.Object({ day: Type.String({ format: "date" }), value: Type.Integer() })),
  }),
  examples: [{ summary: "Critical findings of the last 30 days", input: { metric: "findings.open.critical" } }, { input: { metric: "scans.completed", from: "2026-11-01", to: "2026-11-30" } }],
  async handle({ db, orgId, clock }, { metric: id, to = dayOf(clock.now()), ...input }) {
    const from = input.from ?? daysAfter(to, 1 - usualDays);
    const days = daysBetween(from, to);
    if (days < 1) fail(InvalidInput, `/from: ${from} is after ${to}.`);
    if (days > mostDays) fail(InvalidInput, `/from: from ${from} to ${to} is ${days} days; at most ${mostDays} are shown at once.`);
    const metric = metrics.find((one) => one.id === id);
    if (metric === undefined) fail(InvalidInput, `/metric: there is no metric ${id}; qinfra analytics metrics lists those that there are.`);
    return {
      metric: metric.id, kind: metric.kind, complete: await isComplete(db, orgId, [activityProjection.id, exposureProjection.id]),
      items: seriesOf(metric.kind, await changesBetween(db, orgId, { metric: metric.id, from, to }), from, to),
    };
  },
});

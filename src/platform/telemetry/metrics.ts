import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, type OpenMetricsContentType } from "prom-client";
import { classicText } from "./classic-text.ts";

export interface Metrics {
  /** OpenMetrics 1.0 with exemplars for a scraper that takes it, otherwise the classic text format without them. */
  scrape(accept: string | undefined): Promise<{ contentType: string; text: string }>;
  /** One call through the pipeline, whatever its door. Seconds. A traced call is the exemplar of its bucket. */
  observeCall(call: { operation: string; door: string; status: number; seconds: number; trace?: { traceId: string; spanId: string } }): void;
  imagesRegistered: Counter;
  vulnerabilitiesFound: Counter;
  scanSeconds: Histogram;
  notificationDeliveries: Counter;
  projectionEvents: Counter;
  /** Read when the metrics are scraped. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** One value for each value of the label, read when the metrics are scraped. */
  gauges(name: string, help: string, label: string, read: () => Promise<ReadonlyMap<string, number>>): void;
}

/** Metrics under the names that the reference gives. One registry a server, so that tests can have several. */
export function createMetrics(): Metrics {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  collectDefaultMetrics({ register: registry, prefix: "qinfra_" });
  // Gauges named like counters, which Prometheus warns of; the same numbers are there by type without the suffix.
  for (const what of ["handles", "requests", "resources"]) registry.removeSingleMetric(`qinfra_nodejs_active_${what}_total`);
  const registers = [registry];
  const labels = ["operation", "door", "status"] as const;
  const requests = new Counter({ name: "qinfra_api_requests_total", help: "Calls of operations", labelNames: labels, registers });
  const errors = new Counter({ name: "qinfra_api_errors_total", help: "Calls of operations that failed on our side (5xx)", labelNames: labels, registers });
  const durations = new Histogram({
    name: "qinfra_api_request_duration_seconds", help: "Time in the pipeline", labelNames: ["operation", "door"], registers,
    enableExemplars: true, buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
  });
  return {
    async scrape(accept) {
      const text = await registry.metrics();
      if (accept?.includes("application/openmetrics-text") === true) return { contentType: registry.contentType, text };
      return { contentType: Registry.PROMETHEUS_CONTENT_TYPE, text: classicText(text) };
    },
    observeCall({ operation, door, status, seconds, trace }) {
      requests.inc({ operation, door, status });
      if (status >= 500) errors.inc({ operation, door, status });
      // With exemplars enabled the histogram takes this form alone.
      durations.observe({ labels: { operation, door }, value: seconds, ...(trace !== undefined && { exemplarLabels: exemplarOf(trace) }) });
    },
    imagesRegistered: new Counter({ name: "qinfra_images_registered_total", help: "Golden images registered", registers }),
    vulnerabilitiesFound: new Counter({ name: "qinfra_image_scan_vulnerabilities_total", help: "Findings that matching wrote", labelNames: ["severity"], registers }),
    scanSeconds: new Histogram({ name: "qinfra_scan_duration_seconds", help: "Time to match one component set", registers, buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30] }),
    notificationDeliveries: new Counter({ name: "qinfra_notifications_deliveries_total", help: "Attempts to deliver notifications", labelNames: ["kind", "state"], registers }),
    projectionEvents: new Counter({ name: "qinfra_projection_events_total", help: "Events that this server counted into projections, those of rebuilds included", labelNames: ["projection"], registers }),
    gauges(name, help, label, read) {
      const gauge: Gauge = new Gauge({
        name, help, labelNames: [label], registers,
        async collect() {
          gauge.reset();
          for (const [value, number] of await read()) gauge.set({ [label]: value }, number);
        },
      });
    },
    gauge(name, help, read) {
      const gauge: Gauge = new Gauge({ name, help, registers, collect: async () => gauge.set(await read()) });
    },
  };
}

/** The names that Prometheus links to a trace by. The library's types know only the metric's own labels here. */
function exemplarOf({ traceId, spanId }: { traceId: string; spanId: string }): object {
  return { trace_id: traceId, span_id: spanId };
}

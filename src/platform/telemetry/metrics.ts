import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export interface Metrics {
  text(): Promise<string>;
  /** One call through the pipeline, whatever its door. Seconds. */
  observeCall(call: { operation: string; door: string; status: number; seconds: number }): void;
  imagesRegistered: Counter;
  vulnerabilitiesFound: Counter;
  scanSeconds: Histogram;
  /** Read when the metrics are scraped. */
  gauge(name: string, help: string, read: () => number): void;
}

/** Metrics under the names that the reference gives. One registry a server, so that tests can have several. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "qinfra_" });
  // Gauges named like counters, which Prometheus warns of; the same numbers are there by type without the suffix.
  for (const what of ["handles", "requests", "resources"]) registry.removeSingleMetric(`qinfra_nodejs_active_${what}_total`);
  const registers = [registry];
  const labels = ["operation", "door", "status"] as const;
  const requests = new Counter({ name: "qinfra_api_requests_total", help: "Calls of operations", labelNames: labels, registers });
  const errors = new Counter({ name: "qinfra_api_errors_total", help: "Calls of operations that failed on our side (5xx)", labelNames: labels, registers });
  const durations = new Histogram({
    name: "qinfra_api_request_duration_seconds", help: "Time in the pipeline", labelNames: ["operation", "door"], registers,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
  });
  return {
    text: () => registry.metrics(),
    observeCall({ operation, door, status, seconds }) {
      requests.inc({ operation, door, status });
      if (status >= 500) errors.inc({ operation, door, status });
      durations.observe({ operation, door }, seconds);
    },
    imagesRegistered: new Counter({ name: "qinfra_images_registered_total", help: "Golden images registered", registers }),
    vulnerabilitiesFound: new Counter({ name: "qinfra_image_scan_vulnerabilities_total", help: "Findings that matching wrote", labelNames: ["severity"], registers }),
    scanSeconds: new Histogram({ name: "qinfra_scan_duration_seconds", help: "Time to match one component set", registers, buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30] }),
    gauge(name, help, read) {
      const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) });
    },
  };
}

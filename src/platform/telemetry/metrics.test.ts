import { describe, expect, it } from "vitest";
import { createMetrics } from "./metrics.ts";

const trace = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
const lines = (text: string, start: string) => text.split("\n").filter((line) => line.startsWith(start));

describe("the metrics", () => {
  it("name a traced call as the exemplar of its bucket, for a scraper that takes OpenMetrics", async () => {
    const metrics = createMetrics();
    metrics.observeCall({ operation: "images.get", door: "http", status: 200, seconds: 0.004, trace });
    const { contentType, text } = await metrics.scrape("application/openmetrics-text;version=1.0.0;q=0.75,text/plain;q=0.5");
    expect(contentType).toContain("application/openmetrics-text");
    expect(text.endsWith("# EOF\n")).toBe(true);
    expect(lines(text, 'qinfra_api_request_duration_seconds_bucket{le="0.005"')[0]).toMatch(/ 1 # \{trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"\} 0\.004 /);
    expect(lines(text, "# TYPE qinfra_api_requests")).toEqual(["# TYPE qinfra_api_requests counter"]);
  });

  it("are classic text for every other, without exemplars", async () => {
    const metrics = createMetrics();
    metrics.observeCall({ operation: "images.get", door: "http", status: 200, seconds: 0.004, trace });
    const { contentType, text } = await metrics.scrape(undefined);
    expect(contentType).toContain("text/plain; version=0.0.4");
    expect(text).not.toMatch(/trace_id|# EOF/);
    expect(lines(text, "# HELP qinfra_api_requests")).toEqual(["# HELP qinfra_api_requests_total Calls of operations"]);
    expect(lines(text, "# TYPE qinfra_api_requests")).toEqual(["# TYPE qinfra_api_requests_total counter"]);
    expect(lines(text, "qinfra_api_requests_total")).toEqual(['qinfra_api_requests_total{operation="images.get",door="http",status="200"} 1']);
    expect(lines(text, 'qinfra_api_request_duration_seconds_bucket{le="0.005"')[0]).toMatch(/ 1$/);
  });
});

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { describeWith } from "./peer.ts";
import { startPrometheus, type Prometheus } from "./prometheus.ts";

describeWith(["prometheus"], "startPrometheus", () => {
  const target = createServer((_request, response) => {
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end("# TYPE qinfra_example gauge\nqinfra_example{part=\"a\"} 42\n");
  });
  let prometheus: Prometheus;

  beforeAll(async () => {
    await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
    const { port } = target.address() as AddressInfo;
    prometheus = await startPrometheus(
      `global: { scrape_interval: 200ms }\nscrape_configs: [{ job_name: example, static_configs: [{ targets: ["127.0.0.1:${port}"] }] }]\n`,
    );
  });
  afterAll(async () => {
    await prometheus.stop();
    target.close();
  });

  it("given a target, then its metric is scraped and can be queried", async () => {
    const sample = await vi.waitUntil(async () => (await prometheus.query("qinfra_example"))[0], { timeout: 20_000, interval: 100 });
    expect(sample.value).toBe(42);
    expect(sample.metric).toMatchObject({ job: "example", part: "a" });
    expect(await prometheus.targets()).toMatchObject([{ health: "up", lastError: "" }]);
  });

  it("given an expression that it cannot parse, then the query fails with its own words", async () => {
    await expect(prometheus.query("sum(")).rejects.toThrow("parse error");
  });

  it("given a configuration that promtool refuses, then it does not start", async () => {
    await expect(startPrometheus("scrape_configs: [{ no_such_field: 1 }]\n")).rejects.toThrow("no_such_field");
  });
});

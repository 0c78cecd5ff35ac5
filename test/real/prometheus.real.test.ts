import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { createAuthority } from "./support/certificates.ts";
import type { Client } from "./support/client.ts";
import { mainJob } from "./support/main-job.ts";
import { describeWith, program } from "./support/peer.ts";
import { claim, dataFolder, root, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { temporaryFolder } from "./support/process.ts";
import { startPrometheus, type Prometheus } from "./support/prometheus.ts";

const shipped = readFileSync(join(root, "deploy/observability/prometheus.yml"), "utf8");

/** The shipped configuration for one server without TLS, asked more often. */
function shippedFor(target: string): string {
  const { scrape_configs: [{ tls_config: _, ...job } = {}] } = parse(shipped) as { scrape_configs: Record<string, unknown>[] };
  return JSON.stringify({ global: { scrape_interval: "250ms" }, scrape_configs: [{ ...job, scheme: "http", scrape_timeout: "250ms", static_configs: [{ targets: [target] }] }] });
}

describeWith(["prometheus", "openssl"], "the shipped configuration", () => {
  it("given its certificates, then promtool finds nothing to complain about", async () => {
    const folder = await temporaryFolder("promtool");
    try {
      await mkdir(join(folder.path, "tls"));
      const authority = await createAuthority(folder.path);
      const { cert, key } = await authority.issue("prometheus");
      for (const [from, to] of [[authority.certificate, "ca.crt"], [cert, "prometheus.crt"], [key, "prometheus.key"]] as const) await copyFile(from, join(folder.path, "tls", to));
      await writeFile(join(folder.path, "prometheus.yml"), shipped.replaceAll("/etc/prometheus/tls", join(folder.path, "tls")));
      const { stdout } = await promisify(execFile)(program("prometheus", "promtool"), ["check", "config", "--lint-fatal", join(folder.path, "prometheus.yml")], { timeout: 30_000 });
      expect(stdout).toContain("is valid prometheus config file syntax");
    } finally {
      await folder.remove();
    }
  });
});

describeWith(["prometheus"], "Prometheus scrapes the platform", () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let platform: RunningPlatform;
  let client: Client;
  let prometheus: Prometheus;
  beforeAll(async () => {
    folder = await dataFolder("prometheus-platform");
    // Nobody takes the traces: they are made, and so are exemplars.
    platform = await startPlatform(folder.path, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_TRACES_SAMPLER_ARG: "1" });
    client = await claim(platform.address, "admin", platform.oneTimePassword ?? "", "a password for Prometheus");
    await mainJob(client);
    prometheus = await startPrometheus(shippedFor(new URL(platform.address).host));
    await vi.waitUntil(async () => (await prometheus.query('up{job="qinfra"}'))[0]?.value === 1, { timeout: 20_000, interval: 100 });
  });
  afterAll(async () => {
    await client?.close();
    await prometheus?.stop();
    await platform?.stop();
    await folder?.remove();
  });

  it("given the target, then it is up", async () => {
    expect(await prometheus.targets()).toMatchObject([{ health: "up", lastError: "" }]);
  });

  it.each([
    ['qinfra_api_requests_total{operation="images.register",door="http",status="201"}', 1],
    ['qinfra_api_request_duration_seconds_count{operation="images.register"}', 1],
    ['histogram_quantile(0.5, sum by (le) (qinfra_api_request_duration_seconds_bucket{operation="images.register"})) > bool 0', 1],
    ["sum(qinfra_image_scan_vulnerabilities_total)", 3],
    ["qinfra_images_registered_total", 1],
    ["sum(qinfra_scan_duration_seconds_count) > bool 0", 1],
    ["qinfra_database_connections > bool 0", 1],
    ["qinfra_events_unsealed >= bool 0", 1],
    ["qinfra_process_resident_memory_bytes > bool 0", 1],
  ])("given the main job, when %s is asked for, then it is %d", async (expression, value) => {
    await vi.waitFor(async () => expect((await prometheus.query(expression))[0]?.value).toBe(value), { timeout: 10_000, interval: 100 });
  });

  it("given one more call, then the counter grows by one", async () => {
    const counter = async (): Promise<number> => (await prometheus.query('sum(qinfra_api_requests_total{operation="images.list"})'))[0]?.value ?? 0;
    const before = await counter();
    await client.call("GET", "/api/v1/images");
    expect(await vi.waitUntil(async () => ((await counter()) > before ? counter() : undefined), { timeout: 10_000, interval: 100 })).toBe(before + 1);
  });

  it("given traced calls, then their traces came with what was scraped", async () => {
    await vi.waitFor(async () => expect(await prometheus.exemplars('qinfra_api_request_duration_seconds_bucket{operation="images.register"}')).toContainEqual(expect.objectContaining({ trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string })), { timeout: 20_000, interval: 200 });
  });

  it("given the exposition, then promtool finds nothing to complain about", async () => {
    const exposition = await client.call<string>("GET", "/metrics");
    const promtool = spawn(program("prometheus", "promtool"), ["check", "metrics"], { stdio: ["pipe", "pipe", "pipe"] });
    promtool.stdin.end(exposition);
    const [output, errors, code] = await Promise.all([text(promtool.stdout), text(promtool.stderr), new Promise((resolve) => promtool.once("exit", resolve))]);
    expect({ output, errors, code }).toEqual({ output: "", errors: "", code: 0 });
  });
});

import { afterAll, beforeAll, expect, it } from "vitest";
import type { Client } from "./support/client.ts";
import { startJaeger, type Jaeger, type JaegerSpan } from "./support/jaeger.ts";
import { describeWith } from "./support/peer.ts";
import { claim, dataFolder, startPlatform, type RunningPlatform } from "./support/platform.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";

describeWith(["jaeger"], "traces in Jaeger", () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let jaeger: Jaeger;
  let platform: RunningPlatform;
  let client: Client;
  beforeAll(async () => {
    jaeger = await startJaeger();
    folder = await dataFolder("jaeger-platform");
    platform = await startPlatform(folder.path, { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlp, OTEL_TRACES_SAMPLER_ARG: "1" });
    client = await claim(platform.address, "admin", platform.oneTimePassword ?? "", "a password for Jaeger");
  });
  afterAll(async () => {
    await client?.close();
    await platform?.stop();
    await jaeger?.stop();
    await folder?.remove();
  });
  const tagOf = (span: JaegerSpan | undefined, key: string) => span?.tags.find((tag) => tag.key === key)?.value;

  it("given a read, then its trace has a span of the operation and below it one for each step", async () => {
    await client.call("GET", "/api/v1/images");
    await expect.poll(async () => (await jaeger.spansOf("images.list")).map((span) => span.operationName), { timeout: 20_000 }).toContain("images.list");
    const spans = await jaeger.spansOf("images.list");
    const root = spans.find((span) => span.operationName === "images.list");
    expect(spans.filter((span) => span.references.some((of) => of.spanID === root?.spanID)).map((span) => span.operationName)).toEqual(expect.arrayContaining(["authenticate", "limit", "policy", "read"]));
    expect([tagOf(root, "http.response.status_code"), tagOf(root, "qinfra.door")]).toEqual([200, "http"]);
    expect(tagOf(root, "qinfra.request_id")).toMatch(/^[\w.-]{8,64}$/);
  });

  it("given a change, then it has the step in which it was made", async () => {
    await client.call("POST", "/api/v1/images", {
      family: "jaeger", version: "1.0.0", source: "dpkg-status", os: { id: "debian", versionId: "12" }, components: [{ name: "openssl", version: "3.0.17-1", purl: "pkg:deb/debian/openssl@3.0.17-1?distro=debian-12" }],
    });
    await expect.poll(async () => (await jaeger.spansOf("images.register")).map((span) => span.operationName), { timeout: 20_000 }).toContain("change");
  });

  it("given a caller's trace, then ours is part of it", async () => {
    await fetch(`${platform.address}/api/v1/images`, { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } });
    await expect.poll(async () => (await jaeger.spansOf("images.list")).some((span) => span.traceID === traceId), { timeout: 20_000 }).toBe(true);
  });

  it("given an exemplar in the metrics, then Jaeger has its trace", async () => {
    const metrics = await (await fetch(`${platform.address}/metrics`, { headers: { accept: "application/openmetrics-text" } })).text();
    const named = /operation="images.register".* # \{trace_id="([0-9a-f]{32})"/.exec(metrics)?.[1];
    expect(named).toBeDefined();
    await expect.poll(async () => (await jaeger.spansOf("images.register")).some((span) => span.traceID === named), { timeout: 20_000 }).toBe(true);
  });

  it("given that Jaeger is gone, then nobody waits for it", async () => {
    await jaeger.stop();
    for (let i = 0; i < 50; i++) await client.call("GET", "/api/v1/images");
    expect(await client.call("GET", "/api/v1/images")).toMatchObject({ items: expect.any(Array) });
  });
});

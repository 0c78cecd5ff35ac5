import { InMemorySpanExporter } from "@opentelemetry/sdk-trace";
import { describe, expect, it } from "vitest";
import { createTraces } from "./otlp-traces.ts";
import type { Traces } from "./traces.ts";

function tracesWith(options: { share: number; random?: () => number }): { traces: Traces; spans: () => Promise<{ name: string; parent: string | undefined; traceId: string; attributes: object; failed: boolean }[]> } {
  const exporter = new InMemorySpanExporter();
  let kept: ReturnType<InMemorySpanExporter["getFinishedSpans"]> = [];
  const shutdown = exporter.shutdown.bind(exporter);
  exporter.shutdown = () => {
    kept = exporter.getFinishedSpans();
    return shutdown();
  };
  const traces = createTraces({ endpoint: "http://127.0.0.1:1", version: "1", random: () => 0.5, clock: { now: () => 0 }, exporter, ...options });
  return {
    traces,
    async spans() {
      await traces.stop();
      return kept.map((span) => ({
        name: span.name, parent: span.parentSpanContext?.spanId, traceId: span.spanContext().traceId, attributes: span.attributes, failed: span.status.code === 2,
      }));
    },
  };
}

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("a trace", () => {
  it("has a span of the operation, and below it one for each step", async () => {
    const { traces, spans } = tracesWith({ share: 1 });
    const trace = traces.begin("images.get");
    expect(await trace.step("authenticate", async () => 1)).toBe(1);
    await expect(trace.step("read", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    trace.set({ "qinfra.door": "http" });
    trace.end({ status: 503, code: "database-unavailable" });
    const found = await spans();
    expect(found.map(({ name, failed }) => [name, failed])).toEqual([["authenticate", false], ["read", true], ["images.get", true]]);
    expect(found[2]).toMatchObject({ parent: undefined, attributes: { "http.response.status_code": 503, "error.type": "database-unavailable", "qinfra.door": "http" } });
    expect(found.slice(0, 2).every((span) => span.parent === trace.ids?.spanId)).toBe(true);
  });

  it("continues the caller's", async () => {
    const { traces, spans } = tracesWith({ share: 1 });
    traces.begin("images.get", parent).end({ status: 200 });
    expect(await spans()).toMatchObject([{ traceId: "0af7651916cd43dd8448eb211c80319c", parent: "b7ad6b7169203331", failed: false }]);
  });

  it.each(["", "00-zz", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", `00-${"0".repeat(32)}-b7ad6b7169203331-01`, `${parent}x`])("begins anew where the header is none: %j", async (header) => {
    const { traces, spans } = tracesWith({ share: 1 });
    traces.begin("images.get", header).end({ status: 200 });
    expect(await spans()).toMatchObject([{ parent: undefined }]);
  });

  it("is made of a share of the calls, and of those that ask for it within limits", async () => {
    const { traces, spans } = tracesWith({ share: 0.25 });
    for (let i = 0; i < 5; i++) traces.begin("untraced").end({ status: 200 });
    for (let i = 0; i < 30; i++) traces.begin("asked", parent).end({ status: 200 });
    expect((await spans()).map((span) => span.name)).toEqual(Array.from({ length: 10 }, () => "asked"));
  });
});

it("says that traces are lost while the collector takes none, and that they are not once it does", async () => {
  const exporter = new InMemorySpanExporter();
  let code = 1;
  const outcomes: (() => void)[] = [];
  exporter.export = (_spans, done) => {
    done({ code });
    for (const outcome of outcomes.splice(0)) outcome();
  };
  const traces = createTraces({ endpoint: "http://127.0.0.1:1", version: "1", share: 1, random: () => 0, clock: { now: () => 0 }, exporter });
  const sent = () => new Promise<void>((resolve) => {
    outcomes.push(resolve);
    traces.begin("images.get").end({ status: 200 });
  });
  expect(traces.health()).toBe("ok");
  await sent();
  expect(traces.health()).toContain("takes no traces");
  code = 0;
  await sent();
  expect(traces.health()).toBe("ok");
  await traces.stop();
});

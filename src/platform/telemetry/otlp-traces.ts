import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Context, type Span } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider, type SpanExporter } from "@opentelemetry/sdk-trace";
import { ATTR_ERROR_TYPE, ATTR_HTTP_RESPONSE_STATUS_CODE, ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from "@opentelemetry/semantic-conventions";
import type { Clock } from "../clock.ts";
import { untraced, type Trace, type Traces } from "./traces.ts";

export interface TraceOptions {
  endpoint: string;
  /** Share of the calls that are traced, 0 to 1. */
  share: number;
  version: string;
  random(): number;
  clock: Clock;
  exporter?: SpanExporter;
}

/** Callers that ask to be traced are, up to so many a second: otherwise anybody could have everything traced. */
const mostAskedPerSecond = 10;

/** Traces that are sent by OTLP over HTTP in the background. What cannot be sent is dropped; nobody waits for it. */
export function createTraces({ endpoint, share, version, random, clock, exporter }: TraceOptions): Traces {
  let lost = false;
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ [ATTR_SERVICE_NAME]: "qinfra", [ATTR_SERVICE_VERSION]: version }),
    spanProcessors: [new BatchSpanProcessor({
      exporter: observed(exporter ?? new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: 5_000 }), (failed) => (lost = failed)),
      maxQueueSize: 4_096, scheduledDelayMillis: 1_000, exportTimeoutMillis: 10_000,
    })],
  });
  const tracer = provider.getTracer("qinfra");
  let second = 0;
  let asked = 0;

  function isTraced(parent: Parent | undefined): boolean {
    if (random() < share) return true;
    if (parent?.sampled !== true) return false;
    const now = Math.floor(clock.now() / 1000);
    if (now !== second) [second, asked] = [now, 0];
    asked += 1;
    return asked <= mostAskedPerSecond;
  }

  return {
    begin(name, traceparent) {
      const parent = traceparent === undefined ? undefined : parentOf(traceparent);
      if (!isTraced(parent)) return untraced;
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER }, parent?.context ?? ROOT_CONTEXT);
      return traceOf(span);
    },
    health: () => (lost ? "the collector takes no traces; they are dropped" : "ok"),
    stop: () => provider.shutdown().catch(() => undefined),
  };

  function traceOf(span: Span): Trace {
    const inside = trace.setSpan(ROOT_CONTEXT, span);
    return {
      ids: { traceId: span.spanContext().traceId, spanId: span.spanContext().spanId },
      set: (attributes) => void span.setAttributes(attributes),
      async step(name, work) {
        const child = tracer.startSpan(name, {}, inside);
        try {
          return await work();
        } catch (error) {
          child.setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          child.end();
        }
      },
      end({ status, code }) {
        span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status);
        if (code !== undefined) span.setAttribute(ATTR_ERROR_TYPE, code);
        // Of a server's span only its own faults are errors (semantic conventions for HTTP).
        if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  }
}

/** Tells of each batch whether it was lost. */
function observed(exporter: SpanExporter, told: (failed: boolean) => void): SpanExporter {
  return {
    export: (spans, done) => exporter.export(spans, (result) => {
      told(result.code !== 0);
      done(result);
    }),
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush === undefined ? {} : { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
  };
}

interface Parent {
  context: Context;
  sampled: boolean;
}

/** https://www.w3.org/TR/trace-context-2/#traceparent-header; undefined for what is none. */
function parentOf(header: string): Parent | undefined {
  const match = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header);
  if (match === null) return undefined;
  const [, traceId = "", spanId = "", flags = ""] = match;
  const sampled = (parseInt(flags, 16) & TraceFlags.SAMPLED) !== 0;
  return { sampled, context: trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true }) };
}

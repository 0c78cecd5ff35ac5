import { program } from "./peer.ts";
import { freePort, startServer, untilReady } from "./process.ts";

export interface JaegerSpan {
  traceID: string;
  spanID: string;
  operationName: string;
  /** Microseconds. */
  duration: number;
  references: { refType: string; spanID: string }[];
  tags: { key: string; value: unknown }[];
}

export interface Jaeger {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  otlp: string;
  /** The spans of traces of that service that have one of this name. */
  spansOf(operation: string): Promise<JaegerSpan[]>;
  stop(): Promise<void>;
}

/** A real Jaeger that keeps traces in memory, every port of it on loopback and free. */
export async function startJaeger(): Promise<Jaeger> {
  const [query, queryGrpc, otlpHttp, otlpGrpc, collectorHttp, collectorGrpc, admin, agentHttp] = await Promise.all(Array.from({ length: 8 }, () => freePort()));
  const at = (port: number | undefined) => `127.0.0.1:${port}`;
  const server = startServer(program("jaeger", "jaeger-all-in-one"), [
    `--query.http-server.host-port=${at(query)}`, `--query.grpc-server.host-port=${at(queryGrpc)}`,
    `--collector.otlp.http.host-port=${at(otlpHttp)}`, `--collector.otlp.grpc.host-port=${at(otlpGrpc)}`,
    `--collector.http-server.host-port=${at(collectorHttp)}`, `--collector.grpc-server.host-port=${at(collectorGrpc)}`,
    `--admin.http.host-port=${at(admin)}`, `--http-server.host-port=${at(agentHttp)}`,
    "--processor.jaeger-binary.server-host-port=127.0.0.1:0", "--processor.jaeger-compact.server-host-port=127.0.0.1:0", "--processor.zipkin-compact.server-host-port=127.0.0.1:0",
  ]);
  await untilReady(server, "Jaeger", async () => (await fetch(`http://${at(admin)}/`, { signal: AbortSignal.timeout(1_000) })).ok);
  return {
    otlp: `http://${at(otlpHttp)}`,
    async spansOf(operation) {
      const answer = await fetch(`http://${at(query)}/api/traces?${new URLSearchParams({ service: "qinfra", operation, limit: "100" }).toString()}`, { signal: AbortSignal.timeout(5_000) });
      const { data } = (await answer.json()) as { data: { spans: JaegerSpan[] }[] | null };
      return (data ?? []).flatMap((trace) => trace.spans);
    },
    stop: () => server.stop(),
  };
}

import { text } from "node:stream/consumers";
import Fastify, { LogController, type FastifyBaseLogger } from "fastify";
import pg from "pg";
import { pino } from "pino";
import { collectDefaultMetrics, Counter, Histogram, Registry } from "prom-client";
import { createLog } from "../src/platform/telemetry/log.ts";

/** What the program is told on standard input. */
export interface BaselinePlan {
  connection: pg.ClientConfig;
  pool: number;
  query: string;
  orgId: string;
  logFile: string;
}

/** Fastify + pg as one would write them by hand: one prepared statement, a log line and metrics for each request; nobody is authenticated. */
async function serve({ connection, pool: max, query, orgId, logFile }: BaselinePlan): Promise<string> {
  const pool = new pg.Pool({ ...connection, max });
  const log = createLog("info", pino.destination(logFile));
  const registers = [new Registry()];
  collectDefaultMetrics({ register: registers[0] as Registry });
  const requests = new Counter({ name: "requests_total", help: "Requests", labelNames: ["route", "status"], registers });
  const durations = new Histogram({ name: "request_seconds", help: "Time", labelNames: ["route"], registers });
  const server = Fastify({ loggerInstance: log as FastifyBaseLogger, logController: new LogController({ disableRequestLogging: true }) });
  server.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "";
    log.info({ requestId: request.id, method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime * 10) / 10 }, "request");
    requests.inc({ route, status: reply.statusCode });
    durations.observe({ route }, reply.elapsedTime / 1000);
  });
  server.get("/assets/:id", async (request, reply) => {
    const { rows } = await pool.query({ name: "asset", text: query, values: [(request.params as { id: string }).id, orgId] });
    return rows[0] ?? reply.code(404).send({ error: "not found" });
  });
  return server.listen({ host: "127.0.0.1", port: 0 });
}

if (import.meta.main) process.stdout.write(`${await serve(JSON.parse(await text(process.stdin)) as BaselinePlan)}\n`);

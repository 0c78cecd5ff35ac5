import { createServer } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import cookie from "@fastify/cookie";
import type { Logger } from "pino";
import { DeclaredError, Draining, InvalidInput, NotFound, TooLarge, toProblem, UnsupportedMediaType, type ErrorType } from "../../platform/errors.ts";
import type { Operation } from "../../platform/operation/index.ts";
import { hasDoor, routeOf, type Registry } from "../../platform/operation/registry.ts";
import type { Services } from "../../platform/operation/services.ts";
import type { TlsMaterial } from "../../platform/tls/index.ts";
import { mountEventDocuments } from "./event-documents.ts";
import { tellDeprecation } from "./answer-headers.ts";
import { limitBody, type BodyLimits } from "./body-limits.ts";
import { handleOperation, refuseStrangers } from "./operation-route.ts";
import { toOpenApi } from "./openapi.ts";

export interface HttpOptions {
  version: string;
  log: Logger;
  /** True once the server is told to stop: it is not ready any more, and keeps no connection. */
  draining(): boolean;
  /** True once it takes no new work; where it is absent, as soon as it drains. */
  refusing?(): boolean;
  ready(): Promise<{ ready: boolean; checks: Record<string, string> }>;
  metrics(accept: string | undefined): Promise<{ contentType: string; text: string }>;
  /** Reads the session cookie and its CSRF proof of a request. */
  sessionOf(request: FastifyRequest): { session: string; csrf: boolean } | undefined;
  /** How long the body of a request may take, where it is not as usual. */
  bodyLimits?: BodyLimits;
  /** PEM. With `ca` only callers with a certificate of that authority are let in. */
  tls?: TlsMaterial;
  /** Addresses and networks whose X-Forwarded-For is believed. None by default. */
  trustedProxies?: readonly string[];
  /** Adds pages and further doors (sign-in, status, reference, MCP) to the same server. */
  extend?(server: FastifyInstance): void;
}

interface RouteConfig {
  streamed?: boolean;
}

/** The HTTP door: every operation at its path, and what a load balancer, Prometheus and a person need beside them. */
export async function createHttpServer(services: Services, registry: Registry, options: HttpOptions): Promise<FastifyInstance> {
  const server = Fastify({
    loggerInstance: options.log as FastifyBaseLogger, logController: new LogController({ disableRequestLogging: true }), bodyLimit: usualBodyBytes, requestTimeout: 0, pluginTimeout: 60_000,
    trustProxy: options.trustedProxies === undefined || options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    // Each line names its request itself; a logger a request would be made for nothing.
    childLoggerFactory: (logger) => logger,
    genReqId: (request) => requestIdOf(request.headers["x-request-id"]) ?? services.ids.uuid(),
    // Node would cut off each request after five minutes, also a feed that is still being read; bodies have limits of their own.
    serverFactory: (handler) => {
      // A proxy in front keeps connections for 60 s; it, not the server, must be who closes an idle one.
      const limits = { keepAliveTimeout: 75_000, headersTimeout: 20_000, requestTimeout: 0, maxHeaderSize: 32 * 1024 };
      return options.tls === undefined ? createServer(limits, handler) : createTlsServer({ ...limits, ...tlsContext(options.tls) }, handler);
    },
    frameworkErrors: (error, request, reply) => void sendProblem(reply as unknown as FastifyReply, asDeclared(error, request, services), request.id),
    routerOptions: { maxParamLength: 2_000, querystringParser: parseQuery },
  });
  await server.register(cookie);
  server.addContentTypeParser(["application/x-ndjson", "application/gzip", "application/octet-stream"], (_request, payload, done) => done(null, payload));
  server.removeContentTypeParser("text/plain");

  server.addHook("onRequest", async (request, reply) => {
    limitBody(request.raw, { streamed: (request.routeOptions.config as RouteConfig).streamed === true, ...options.bodyLimits });
    void reply.header("x-request-id", request.id).header("x-content-type-options", "nosniff");
    if ((options.refusing ?? options.draining)() && !isHealth(request.url)) {
      void reply.header("connection", "close").header("retry-after", "5");
      throw new DeclaredError(Draining, "The server is shutting down; repeat the request in a moment.");
    }
  });
  server.addHook("onSend", async (_request, reply) => {
    if (options.draining()) void reply.header("connection", "close");
  });
  // Streams never end by themselves, and closing waits for whatever is open.
  server.addHook("preClose", async () => services.streams.close());
  server.addHook("onRequestAbort", async (request) => {
    options.log.info({ requestId: request.id, method: request.method, route: request.routeOptions.url }, "request aborted by its caller");
  });
  server.addHook("onResponse", async (request, reply) => {
    if (isHealth(request.url) || request.url === "/metrics") return;
    options.log.info({
      requestId: request.id, method: request.method, route: request.routeOptions.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime * 10) / 10,
    }, "request");
  });
  server.setErrorHandler((error, request, reply) => sendProblem(reply, asDeclared(error, request, services), request.id));
  server.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new DeclaredError(NotFound, `There is no ${request.method} ${request.url.split("?")[0]} here; GET /openapi.json lists what there is.`), request.id));

  for (const operation of registry.operations) {
    if (!hasDoor(operation, "http")) continue;
    const { method, path } = routeOf(operation);
    server.route({
      method, url: path.replaceAll(/\{(\w+)\}/g, ":$1"), bodyLimit: operation.maxInputBytes ?? usualBodyBytes,
      ...(takesMuch(operation) && { onRequest: (request: FastifyRequest) => refuseStrangers(services, request, options.sessionOf(request)) }),
      config: { streamed: operation.body !== undefined } satisfies RouteConfig,
      handler: (request, reply) => {
        tellDeprecation(reply, operation, successorOf(registry, operation));
        return handleOperation(services, operation, request, reply, options.sessionOf(request));
      },
    });
  }

  const document = toOpenApi(registry, options.version);
  server.get("/openapi.json", async (_request, reply) => reply.header("cache-control", "no-cache").send(document));
  mountEventDocuments(server, registry, options.version);
  for (const path of ["/healthz", "/health"]) server.get(path, async () => ({ status: "ok" }));
  for (const path of ["/readyz", "/ready"]) {
    server.get(path, async (_request, reply) => {
      const { ready, checks } = options.draining() ? { ready: false, checks: { server: "draining" } } : await options.ready();
      return reply.code(ready ? 200 : 503).send({ status: ready ? "ready" : "not ready", checks });
    });
  }
  server.get("/metrics", async (request, reply) => {
    const { contentType, text } = await options.metrics(request.headers.accept);
    return reply.type(contentType).send(text);
  });
  options.extend?.(server);
  return server;
}

/** TLS 1.3 only: whatever talks to the platform knows it. */
function tlsContext({ cert, key, ca }: TlsMaterial) {
  return { cert, key, minVersion: "TLSv1.3" as const, ...(ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }) };
}

/** New connections use the new certificate; open ones go on. */
export function replaceCertificate(server: FastifyInstance, material: TlsMaterial): void {
  (server.server as unknown as TlsServer).setSecureContext(tlsContext(material));
}

const usualBodyBytes = 1024 * 1024;

/** Parsing fifty megabytes holds everybody up for a second, so it is not done for just anybody. */
function takesMuch({ permission, body, maxInputBytes = 0 }: Operation): boolean {
  return permission !== "public" && (body !== undefined || maxInputBytes > usualBodyBytes);
}

/** Where what takes the place of a deprecated operation is found. */
function successorOf(registry: Registry, { deprecated }: Operation): string | undefined {
  const successor = deprecated?.use === undefined ? undefined : registry.byId.get(deprecated.use);
  return successor === undefined ? undefined : routeOf(successor).path;
}

function isHealth(url: string): boolean {
  return url === "/healthz" || url === "/health" || url === "/readyz" || url === "/ready";
}

function requestIdOf(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && /^[\w.-]{8,64}$/.test(header) ? header : undefined;
}

function parseQuery(text: string): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (const [key, value] of new URLSearchParams(text)) {
    const before = query[key];
    query[key] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return query;
}

export function sendProblem(reply: FastifyReply, error: DeclaredError, requestId: string): FastifyReply {
  if (error.type.status === 401 && !reply.hasHeader("www-authenticate")) void reply.header("www-authenticate", 'Bearer realm="qinfra"');
  const wait = error.data?.["retryAfterSeconds"];
  if (typeof wait === "number") void reply.header("retry-after", String(Math.ceil(wait)));
  return reply.code(error.type.status).type("application/problem+json").send(toProblem(error, requestId));
}

const fastifyErrors: Record<string, { type: ErrorType; detail: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { type: TooLarge, detail: "The body is larger than this operation takes; split it up." },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { type: UnsupportedMediaType, detail: "Send the input as application/json, or what the operation declares." },
  FST_ERR_CTP_EMPTY_JSON_BODY: { type: InvalidInput, detail: "The body is empty; send a JSON object." },
  FST_ERR_CTP_INVALID_JSON_BODY: { type: InvalidInput, detail: "The body is not valid JSON." },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { type: InvalidInput, detail: "The body is not as long as Content-Length says." },
};

function asDeclared(error: unknown, request: FastifyRequest, services: Services): DeclaredError {
  if (error instanceof DeclaredError) return error;
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message: string };
  const known = fastifyErrors[code ?? ""];
  if (known !== undefined) return new DeclaredError(known.type, known.detail);
  if (error instanceof SyntaxError || (statusCode !== undefined && statusCode >= 400 && statusCode < 500)) {
    return new DeclaredError(InvalidInput, `The request cannot be read: ${message}`);
  }
  services.log.error({ err: error, requestId: request.id }, "request failed unexpectedly");
  return new DeclaredError({ code: "internal", status: 500, title: "Something went wrong on our side" }, `Something went wrong on our side; the log has it under request ${request.id}.`);
}

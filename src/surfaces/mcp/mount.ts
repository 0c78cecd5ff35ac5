import { toWebRequest, type NodeIncomingMessageLike } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DeclaredError, fail, InvalidInput, TooLarge, Unauthenticated } from "../../platform/errors.ts";
import { refuseClosed } from "../../platform/operation/closed.ts";
import type { Registry } from "../../platform/operation/registry.ts";
import type { Credentials, Services } from "../../platform/operation/services.ts";
import { reasonOf } from "../../platform/operation/strangers.ts";
import { authInfoOf, callerOf, cancellationKey, type Caller } from "./caller.ts";
import { createCancellations } from "./cancellations.ts";
import { mcpPath } from "./names.ts";
import { refuseForeignNames } from "./rebinding.ts";
import { createToolServer } from "./tool-server.ts";
import { toolsOf } from "./tools.ts";

export interface McpOptions {
  version: string;
  /** Host names under which the server is reached, without port. Loopback names and addresses need not be listed. */
  hosts: readonly string[];
}

/** Most bytes of a request. */
export const mostRequestBytes = 1024 * 1024;

const sessionHeader = "mcp-session-id";

/**
 * Opens the MCP door at /mcp: streamable HTTP of protocol 2026-07-28, and of 2025-11-25 for older clients, both without
 * state on the server. Callers bring the credentials of the HTTP door in `Authorization`; cookies are not looked at, so
 * that no page of a browser can act here for the person who is signed in.
 */
export function mountMcp(server: FastifyInstance, services: Services, registry: Registry, options: McpOptions): void {
  const cancellations = createCancellations();
  const running = new Set<Promise<unknown>>();
  const tools = toolsOf(registry);
  const door = { services, tools, cancellations, version: options.version, began };
  const handler = createMcpHandler(({ authInfo }) => createToolServer(door, callerOf(authInfo)), {
    // A stream with keep-alives from the start: nothing on the way takes a long call for a dead connection.
    responseMode: "sse",
    maxRequestBodySize: mostRequestBytes,
    onerror: (error) => services.log.debug({ err: error }, "MCP request refused"),
  });

  function began(call: Promise<unknown>): void {
    running.add(call);
    void call.finally(() => running.delete(call)).catch(() => undefined);
  }

  async function serve(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    refuseForeignNames(request.headers, options.hosts);
    const caller = await callerFrom(services, request).catch((error: unknown) => {
      // Tells an MCP client where it is let in (RFC 9728, 5.1).
      if (error instanceof DeclaredError && error.type.status === 401) void reply.header("www-authenticate", `Bearer realm="qinfra", resource_metadata="${services.publicUrl}/.well-known/oauth-protected-resource${mcpPath}"`);
      throw error;
    });
    const gone = new AbortController();
    reply.raw.on("close", () => {
      if (!reply.raw.writableFinished) gone.abort();
    });
    const web = await read(request, gone.signal);
    const body = await jsonOf(web);
    const message = messageOf(body);
    // A call is counted where all calls are, in the pipeline.
    if (message?.method !== "tools/call") await services.limiter.take(caller);
    if (message?.method === "notifications/cancelled") {
      const key = cancellationKey(caller, message.params?.["requestId"]);
      if (key !== undefined) cancellations.cancel(key);
    }
    const response = await handler.fetch(web, { authInfo: authInfoOf(caller), ...(body !== undefined && { parsedBody: body }) });
    // Clients of 2025-11-25 count their requests anew in each session; it tells them apart and nothing more.
    if (message?.method === "initialize") response.headers.set(sessionHeader, services.ids.uuid());
    return reply.send(opened(response));
  }

  void server.register((scope, _options, done) => {
    // The SDK reads bodies itself, so that what is no JSON gets the answer that the protocol asks for.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
    scope.route({ method: ["GET", "POST", "DELETE"], url: mcpPath, handler: serve });
    done();
  });
  server.addHook("preClose", async () => {
    await Promise.allSettled(running);
    // Ends subscriptions, which would otherwise stay open for as long as their clients do.
    await handler.close();
  });
}

/** A stream whose first bytes, a comment, are there at once: Node holds the headers back until it has something to send. */
function opened(response: Response): Response {
  if (response.body === null || response.headers.get("content-type") !== "text/event-stream") return response;
  const comment = new TransformStream<Uint8Array, Uint8Array>({ start: (to) => to.enqueue(new TextEncoder().encode(": open\n\n")) });
  return new Response(response.body.pipeThrough(comment), response);
}

async function callerFrom(services: Services, request: FastifyRequest): Promise<Caller> {
  const { authorization, "qinfra-organization": organization, [sessionHeader]: session } = request.headers;
  const credentials: Credentials = {
    ...(authorization !== undefined && { authorization }),
    ...(organization !== undefined && { organization: printable(organization, "qinfra-organization") }),
  };
  const actor = await services.authenticate(credentials, { door: "mcp", address: request.ip });
  if (actor.kind === "anonymous") {
    await services.limiter.take({ actor, address: request.ip });
    services.strangers.note(request.ip, reasonOf(credentials));
    fail(Unauthenticated, "MCP needs credentials: send an API key as a bearer token, or start `qinfra mcp` after `qinfra login`.");
  }
  refuseClosed(actor.closesAt);
  return {
    actor: { ...actor, ai: true }, credentials, address: request.ip, requestId: request.id,
    ...(session !== undefined && { session: printable(session, sessionHeader) }),
  };
}

function printable(value: string | string[], name: string): string {
  if (typeof value !== "string" || !/^[\x21-\x7e]{1,200}$/.test(value)) fail(InvalidInput, `The header ${name} must be 1 to 200 printable characters without spaces.`);
  return value;
}

async function read(request: FastifyRequest, signal: AbortSignal): Promise<Request> {
  try {
    return await toWebRequest(request.raw as NodeIncomingMessageLike, undefined, { signal, maxRequestBodySize: mostRequestBytes });
  } catch (error) {
    if ((error as Error).name !== "RequestBodyTooLargeError") throw error;
    throw new DeclaredError(TooLarge, `An MCP request may have at most ${mostRequestBytes} bytes; send less, or use the HTTP API.`);
  }
}

interface Message {
  method?: unknown;
  params?: Record<string, unknown>;
}

/** The body read as JSON; undefined where it is none, which the SDK answers as the protocol asks. */
async function jsonOf(web: Request): Promise<unknown> {
  if (web.method !== "POST") return undefined;
  try {
    return await web.clone().json() as unknown;
  } catch {
    return undefined;
  }
}

/** The one JSON-RPC message of a body; undefined where it holds several or something else. */
function messageOf(body: unknown): Message | undefined {
  return typeof body === "object" && body !== null && !Array.isArray(body) ? body : undefined;
}

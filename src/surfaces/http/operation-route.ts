import { PassThrough, Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { DeclaredError, InvalidInput, Internal, toProblem, Unauthenticated, UnsupportedMediaType } from "../../platform/errors.ts";
import { tellAllowance, tellFreshness } from "./answer-headers.ts";
import { answerStream } from "./event-stream.ts";
import type { ApprovalPending, Operation, Progress } from "../../platform/operation/index.ts";
import { execute } from "../../platform/operation/pipeline.ts";
import { routeOf } from "../../platform/operation/registry.ts";
import type { Call, Services } from "../../platform/operation/services.ts";
import { reasonOf } from "../../platform/operation/strangers.ts";

/** Turns a request into a call of the pipeline and its outcome into an answer, streamed with progress where asked for. */
export async function handleOperation(
  services: Services, operation: Operation, request: FastifyRequest, reply: FastifyReply, cookie: Call["credentials"]["cookie"],
): Promise<FastifyReply> {
  const gone = new AbortController();
  request.raw.on("close", () => {
    if (!reply.raw.writableFinished && !request.raw.complete) gone.abort();
  });
  reply.raw.on("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  const call: Call = {
    door: cookie === undefined ? "http" : "browser", requestId: request.id, address: request.ip, signal: gone.signal,
    credentials: credentialsOf(request, cookie),
    allowance: (allowance) => tellAllowance(reply, allowance),
    ...inputOf(operation, request),
    ...bodyOf(operation, request),
    ...headerOf(request, "idempotency-key", "idempotencyKey"),
    ...(typeof request.headers["traceparent"] === "string" && { traceparent: request.headers["traceparent"] }),
  };
  if (operation.stream !== undefined) Object.assign(call, goingOn(call, request));
  if (operation.stream !== undefined && request.headers.accept?.includes("text/event-stream") === true) return answerStream(services, operation, call, reply);
  if (request.headers.accept?.includes("application/x-ndjson") === true) return streamed(services, operation, call, reply);
  const outcome = await execute(services, operation, call);
  if (outcome.status === 202) void reply.header("location", `/api/v1/approvals/${(outcome.output as ApprovalPending).approval}`);
  if (outcome.replayed) void reply.header("idempotent-replay", "true");
  const text = JSON.stringify(outcome.output);
  if (tellFreshness(request, reply, operation, outcome, text)) return reply.code(304).send();
  return reply.code(outcome.status).type("application/json; charset=utf-8").send(text);
}

/** A browser that was cut off asks for the same address again; the header says how far it came since. */
function goingOn(call: Call, request: FastifyRequest): Call {
  const { last } = headerOf(request, "last-event-id", "last");
  return last === undefined ? call : { ...call, input: { ...(call.input as Record<string, unknown>), after: last } };
}

function credentialsOf(request: FastifyRequest, cookie: Call["credentials"]["cookie"]): Call["credentials"] {
  return {
    ...(request.headers.authorization === undefined ? {} : { authorization: request.headers.authorization }),
    ...(cookie === undefined ? {} : { cookie }),
    ...headerOf(request, "qinfra-organization", "organization"),
  };
}

/** Refuses who is not signed in before a large body is read and parsed. The pipeline asks again, and for everything else. */
export async function refuseStrangers(services: Services, request: FastifyRequest, cookie: Call["credentials"]["cookie"]): Promise<void> {
  const actor = await services.authenticate(credentialsOf(request, cookie), { door: cookie === undefined ? "http" : "browser", address: request.ip });
  if (actor.kind !== "anonymous") return;
  services.strangers.note(request.ip, reasonOf(credentialsOf(request, cookie)));
  throw new DeclaredError(Unauthenticated, "Sign in first: run `qinfra login`, or send an API key as a bearer token.");
}

function headerOf<K extends string>(request: FastifyRequest, name: string, key: K): { [P in K]?: string } {
  const value = request.headers[name];
  if (value === undefined) return {};
  if (typeof value !== "string" || !/^[\x21-\x7e]{1,200}$/.test(value)) {
    throw new DeclaredError(InvalidInput, `The header ${name} must be 1 to 200 printable characters without spaces.`);
  }
  return { [key]: value } as { [P in K]?: string };
}

function inputOf(operation: Operation, request: FastifyRequest): { input: unknown; fromText: boolean } {
  const query = request.query as Record<string, string | string[]>;
  const outside = { ...query, ...(request.params as Record<string, string>) };
  for (const [field, schema] of Object.entries(operation.input.properties)) {
    // A list of one is written like a single value in a query string.
    if ((schema as { type?: string }).type === "array" && typeof outside[field] === "string") outside[field] = [outside[field]];
  }
  if (!takesJson(operation, request)) return { input: outside, fromText: true };
  const body = request.body === undefined ? {} : request.body;
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw new DeclaredError(InvalidInput, "The body must be a JSON object.");
  const twice = Object.keys(outside).find((field) => Object.hasOwn(body, field));
  if (twice !== undefined) throw new DeclaredError(InvalidInput, `/${twice}: is given twice, in the address and in the body`);
  return { input: { ...body, ...outside }, fromText: false };
}

/** Whether the body holds input. One that nobody would read is refused, so that nothing is ignored in silence. */
function takesJson(operation: Operation, request: FastifyRequest): boolean {
  if (operation.body !== undefined) return false;
  const { method } = routeOf(operation);
  if (request.body instanceof Readable) throw new DeclaredError(UnsupportedMediaType, "Send the input as application/json.");
  if (method !== "GET" && method !== "DELETE") return true;
  if (request.body !== undefined) throw new DeclaredError(InvalidInput, "This operation takes its input in the address; send it without a body.");
  return false;
}

function bodyOf(operation: Operation, request: FastifyRequest): { body?: Readable } {
  if (operation.body === undefined) return {};
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
  if (!operation.body.contentTypes.includes(type)) {
    throw new DeclaredError(UnsupportedMediaType, `Send the body as ${operation.body.contentTypes.join(" or ")}, not as ${type === "" ? "nothing" : type}.`);
  }
  // As it was sent: who reads it unpacks it, so that a damaged archive is that reader's error and nobody else's.
  return { body: request.body as Readable };
}

/** One JSON value a line: `{"progress":...}` while it runs, then `{"result":...}` or `{"problem":...}`. */
async function streamed(services: Services, operation: Operation, call: Call, reply: FastifyReply): Promise<FastifyReply> {
  const lines = new PassThrough();
  let open = false;
  function write(line: unknown, status = 200): void {
    if (!open) {
      open = true;
      void reply.code(status).type("application/x-ndjson; charset=utf-8").send(lines);
    }
    lines.write(`${JSON.stringify(line)}\n`);
  }
  const progress = (progress: Progress): void => write({ progress });
  try {
    const outcome = await execute(services, operation, { ...call, progress });
    write(outcome.status === 202 ? { pending: outcome.output } : { result: outcome.output }, outcome.status);
  } catch (error) {
    // Before the first line the status still tells; afterwards the last line does.
    if (!open) throw error;
    const declared = error instanceof DeclaredError ? error : new DeclaredError(Internal);
    write({ problem: toProblem(declared, call.requestId) });
  }
  lines.end();
  return reply;
}

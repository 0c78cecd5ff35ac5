import type { Progress } from "../../platform/operation/operation.ts";
import { answerOf } from "./answer.ts";
import type { Connection } from "./connection.ts";
import { CliError } from "./errors.ts";
import type { CliIo } from "./io.ts";
import type { OperationRecord } from "./manifest.ts";

export interface OperationCall {
  input: Record<string, unknown>;
  /** A streamed request body; the input then travels in path and query. */
  body?: { contentType: string; content: AsyncIterable<Uint8Array> };
  idempotencyKey?: string;
  progress?(progress: Progress): void;
}

const firstByteMs = 60_000;
/** A change may wait for a subscription, and a long one reports progress at least this often. */
const longFirstByteMs = 300_000;
const retryDelaysMs = [250, 1_000];

/** Calls an operation over HTTP. Throws CliError: the server's refusal with its request id, or why there is no answer. */
export async function callOperation(io: CliIo, connection: Connection, operation: OperationRecord, call: OperationCall): Promise<unknown> {
  // Only what changes nothing is repeated by itself: nobody knows whether a change without an answer happened.
  const repeatable = operation.http.method === "GET";
  for (let attempt = 0; ; attempt++) {
    const answer = await send(io, connection, operation, call).catch((error: unknown) => asCliError(io, connection, error));
    const delay = repeatable && isPassing(answer) ? retryDelaysMs[attempt] : undefined;
    if (delay === undefined) {
      if (answer instanceof CliError) throw answer;
      return answer.result;
    }
    await io.sleep(delay * (0.5 + (io.random(1)[0] ?? 0) / 255));
  }
}

function isPassing(answer: { result: unknown } | CliError): boolean {
  if (!(answer instanceof CliError)) return false;
  const code = (answer.cause as { code?: string } | undefined)?.code;
  return [502, 503, 504].includes(answer.problem?.status ?? 0) || code === "ECONNRESET" || code === "UND_ERR_SOCKET";
}

async function send(io: CliIo, connection: Connection, operation: OperationRecord, call: OperationCall): Promise<{ result: unknown }> {
  const reads = operation.effect === "read" || operation.effect === "pure";
  const limit = new AbortController();
  const milliseconds = reads && call.body === undefined ? firstByteMs : longFirstByteMs;
  const late = (): void => limit.abort(new CliError(`The server at ${connection.url} has not answered for ${milliseconds / 1000} s.`, { next: "look at the server's log, and repeat the command" }));
  let timer = setTimeout(late, milliseconds);
  const alive = (): void => {
    clearTimeout(timer);
    timer = setTimeout(late, milliseconds);
  };
  let broken: { error: unknown } | undefined;
  const { url, init } = requestOf(connection, operation, call, { alive, broke: (error) => (broken = { error }) });
  try {
    const signal = AbortSignal.any([io.signal, limit.signal]);
    const response = await io.fetch(url, { ...init, signal, redirect: "manual" });
    alive();
    return { result: await answerOf(response, connection.url, { alive, ...(call.progress && { progress: call.progress }) }) };
  } catch (error) {
    if (io.signal.aborted) throw io.signal.reason;
    if (broken !== undefined) throw broken.error;
    throw limit.signal.aborted ? limit.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Address and headers of a call. */
export function requestOf(connection: Connection, operation: OperationRecord, call: OperationCall, watch?: BodyWatch): { url: string; init: RequestInit } {
  const query = new URLSearchParams();
  const fields: Record<string, unknown> = {};
  let path = operation.http.path;
  for (const [field, value] of Object.entries(call.input)) {
    if (value === undefined) continue;
    const place = operation.places[field] ?? "body";
    if (place === "path") path = path.replace(`{${field}}`, encodeURIComponent(String(value)));
    else if (place === "body") fields[field] = value;
    else for (const item of Array.isArray(value) ? value : [value]) query.append(field, typeof item === "object" ? JSON.stringify(item) : String(item));
  }
  const streamed = operation.effect === "change" || operation.effect === "destructive" || call.progress !== undefined;
  const headers: Record<string, string> = {
    accept: streamed ? "application/x-ndjson, application/json" : "application/json",
    ...(connection.token !== undefined && { authorization: `Bearer ${connection.token}` }),
    ...(connection.organization !== undefined && { "qinfra-organization": connection.organization }),
    ...(call.idempotencyKey !== undefined && { "idempotency-key": call.idempotencyKey }),
  };
  const url = `${connection.url}${path}${query.size === 0 ? "" : `?${query}`}`;
  const method = operation.http.method;
  if (call.body !== undefined) {
    const body = ReadableStream.from(watch === undefined ? call.body.content : watched(call.body.content, watch));
    return { url, init: { method, headers: { ...headers, "content-type": call.body.contentType }, body, duplex: "half" } };
  }
  const sendsBody = Object.values(operation.places).includes("body");
  if (!sendsBody) return { url, init: { method, headers } };
  return { url, init: { method, headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(fields) } };
}

interface BodyWatch {
  /** While the body is still being sent, no answer is due. */
  alive(): void;
  /** fetch hides why a body broke off. */
  broke(error: unknown): void;
}

async function* watched(content: AsyncIterable<Uint8Array>, watch: BodyWatch): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of content) {
      watch.alive();
      yield chunk;
    }
  } catch (error) {
    watch.broke(error);
    throw error;
  }
}

const networkErrors: Record<string, string> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "it closed the connection",
  UND_ERR_SOCKET: "it closed the connection",
  EPIPE: "it closed the connection",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the name of the host cannot be looked up",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  ETIMEDOUT: "the connection timed out",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  UND_ERR_HEADERS_TIMEOUT: "it took too long",
  UND_ERR_BODY_TIMEOUT: "it took too long",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed; NODE_EXTRA_CA_CERTS can name the authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is of an unknown authority; NODE_EXTRA_CA_CERTS can name it",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
};

/** Why there is no answer. Throws what is no fault of the network. */
export function asCliError(io: CliIo, connection: Connection, error: unknown): CliError {
  if (io.signal.aborted) throw io.signal.reason;
  if (error instanceof CliError) return error;
  const cause = networkCause(error);
  if (cause === undefined) throw error;
  return new CliError(`The server at ${connection.url} does not answer: ${networkErrors[cause.code] ?? cause.code}.`, {
    next: "start it (`npm run up` in a checkout), or name another with QINFRA_URL, --url or `qinfra login --url`", cause,
  });
}

/** Those of sockets: a file that cannot be opened is no fault of the network. */
const networkCalls = new Set(["connect", "getaddrinfo", "read", "write", "shutdown"]);

/** fetch wraps the error of the network once or twice. */
function networkCause(error: unknown): { code: string } | undefined {
  for (let at = error; at instanceof Error; at = at.cause ?? (at instanceof AggregateError ? at.errors[0] : undefined)) {
    const code = (at as NodeJS.ErrnoException).code;
    if (typeof code === "string" && (code in networkErrors || code.startsWith("UND_ERR_") || networkCalls.has((at as NodeJS.ErrnoException).syscall ?? ""))) return Object.assign(at, { code });
  }
  // fetch also refuses some ports by itself, and gives no code for it.
  const refused = error instanceof TypeError && error.message === "fetch failed" && error.cause instanceof Error ? error.cause : undefined;
  return refused && Object.assign(refused, { code: refused.message });
}


import type { ReadableStream as WebStream } from "node:stream/web";
import { answerOf } from "./answer.ts";
import { asCliError, requestOf } from "./client.ts";
import type { Connection } from "./connection.ts";
import { CliError } from "./errors.ts";
import type { CliIo } from "./io.ts";
import type { OperationRecord } from "./manifest.ts";
import { createServerSentReader, type ServerSent, type ServerSentReader } from "./server-sent.ts";

export interface FollowOptions {
  /** The stream stands, for the first time or again. */
  connected?(): void;
  /** It broke off, and is asked for again. */
  lost?(why: CliError | undefined): void;
  signal?: AbortSignal;
}

/** The server says something every 15 seconds, if only that it is there. */
const silentMs = 45_000;
const mostWaitMs = 15_000;

/**
 * The events of a stream, for as long as somebody takes them. Where it breaks off it is asked for again, from the last
 * event that came. Throws CliError where the server cannot be reached at first, or refuses.
 */
export async function* followStream(io: CliIo, connection: Connection, operation: OperationRecord, input: Record<string, unknown>, options: FollowOptions = {}): AsyncGenerator<ServerSent> {
  const signal = options.signal === undefined ? io.signal : AbortSignal.any([io.signal, options.signal]);
  let lastId: string | undefined;
  let stood = false;
  for (let failures = 0; !signal.aborted; failures++) {
    const reader = createServerSentReader();
    let why: CliError | undefined;
    const silent = new AbortController();
    try {
      for await (const events of piecesOf(io, connection, operation, { input, lastId, reader, signal, silent })) {
        if (!stood || failures > 0) options.connected?.();
        [stood, failures] = [true, 0];
        for (const event of events) yield event;
        lastId = reader.lastId() ?? lastId;
      }
    } catch (error) {
      if (options.signal?.aborted === true) return;
      if (io.signal.aborted) throw io.signal.reason;
      why = silent.signal.aborted ? new CliError(`The server at ${connection.url} fell silent.`) : broken(io, connection, error);
      if (!stood || !mayPass(why)) throw why;
    }
    if (signal.aborted) break;
    options.lost?.(why);
    await io.sleep(waitMs(io, why, failures, reader.retry() ?? 1_000));
  }
  if (io.signal.aborted) throw io.signal.reason;
}

interface Ask {
  input: Record<string, unknown>;
  lastId: string | undefined;
  reader: ServerSentReader;
  signal: AbortSignal;
  silent: AbortController;
}

/** One connection: what each piece of it holds. */
async function* piecesOf(io: CliIo, connection: Connection, operation: OperationRecord, { input, lastId, reader, signal, silent }: Ask): AsyncGenerator<ServerSent[]> {
  const { url, init } = requestOf(connection, operation, { input });
  let timer = setTimeout(() => silent.abort(), silentMs);
  try {
    const headers = { ...(init.headers as Record<string, string>), accept: "text/event-stream", ...(lastId !== undefined && { "last-event-id": lastId }) };
    const response = await io.fetch(url, { ...init, headers, redirect: "manual", signal: AbortSignal.any([signal, silent.signal]) });
    const type = response.headers.get("content-type")?.split(";")[0]?.trim();
    if (type !== "text/event-stream" || response.body === null) {
      await answerOf(response, connection.url, { alive: () => undefined });
      throw new CliError(`The server at ${connection.url} answered at once, where a stream was asked for.`, { next: "check the address; the server may be older than this program" });
    }
    const decoder = new TextDecoder();
    yield [];
    for await (const piece of response.body as WebStream<Uint8Array>) {
      clearTimeout(timer);
      yield reader.push(decoder.decode(piece, { stream: true }));
      timer = setTimeout(() => silent.abort(), silentMs);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** A connection that is cut in the middle has no code of the network in every case. */
function broken(io: CliIo, connection: Connection, error: unknown): CliError {
  if (error instanceof TypeError && error.message === "terminated") return new CliError(`The server at ${connection.url} cut the connection.`, { cause: error });
  return asCliError(io, connection, error);
}

function mayPass({ problem }: CliError): boolean {
  return problem === undefined || problem.status === 429 || problem.status >= 500;
}

function waitMs(io: CliIo, why: CliError | undefined, failures: number, retryMs: number): number {
  const asked = why?.problem?.data?.["retryAfterSeconds"];
  if (typeof asked === "number") return asked * 1_000;
  return Math.min(mostWaitMs, retryMs * 2 ** Math.min(failures, 10)) * (0.5 + (io.random(1)[0] ?? 0) / 255);
}

import { Agent, buildConnector } from "undici";
import type { Clock } from "../clock.ts";
import { fail } from "../errors.ts";
import { guardedLookup, publicOnly, systemResolve, type AddressRule, type Resolve } from "./address-guard.ts";
import { decodedHeaders, readBody } from "./body.ts";
import { createBreakers, type BreakerOptions } from "./breakers.ts";
import { startDeadline, type Deadline } from "./deadline.ts";
import { RedirectRefused } from "./errors.ts";
import { asRedirectError, firstHop, nextHop, sendHop, type Answer, type Hop } from "./hop.ts";
import { retriesOf, type RetryOptions } from "./retries.ts";
import type { HttpClient, HttpRequest } from "./types.ts";

export interface HttpClientOptions extends RetryOptions {
  clock: Clock;
  userAgent: string;
  breaker?: BreakerOptions;
  /** For URLs that users supply. Default: the system's resolver. */
  resolve?: Resolve;
  /** Which addresses users' URLs may not reach. Default: all that are not public. */
  addressRule?: AddressRule;
  /** Default 10 s. */
  connectTimeoutMs?: number;
  /** Authority and own certificate (PEM) for servers of a private network, read at each connection; not for URLs that users supply. */
  tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

interface Read<T> {
  status: number;
  headers: Record<string, string>;
  body: T;
  /** Frees the connection of an answer that is not used. */
  drop(): void;
}

const maxRedirects = 5;
const defaultTimeoutMs = 30_000;
const defaultMaxBytes = 16 * 1024 * 1024;

/** Errors of a request: those of errors.ts here, and Cancelled. An answer of whatever status is no error. */
export function createHttpClient(options: HttpClientOptions): HttpClient & { close(): Promise<void> } {
  const { clock, userAgent, resolve = systemResolve, addressRule = publicOnly, connectTimeoutMs: timeout = 10_000, tls } = options;
  const limits = { headersTimeout: 0, bodyTimeout: 0, allowH2: false, connections: 64 }; // the deadline is the time limit
  const open = new Agent({ ...limits, connect: tls === undefined ? { timeout } : (to, done) => buildConnector({ ca: tls.ca, cert: tls.cert, key: tls.key, timeout })(to, done) });
  const guarded = new Agent({ ...limits, connect: { timeout, lookup: guardedLookup(resolve, addressRule) } });
  const breakers = createBreakers(options.breaker ?? {});

  /** Retries over redirects over circuits: a host's circuit sees each exchange with it, its body included where `read` reads it. */
  async function run<T>(request: HttpRequest, deadline: Deadline, first: Hop, read: (answer: Answer) => Promise<T>): Promise<Read<T>> {
    const rule = request.userSupplied === true ? addressRule : undefined;
    const dispatcher = rule === undefined ? open : guarded;

    const exchange = async (hop: Hop): Promise<Read<T> & { next?: Hop }> => {
      const answer = await sendHop(hop, dispatcher, deadline.signal);
      const { status, headers, body } = answer;
      const drop = () => void body.destroy();
      try {
        const next = request.redirect === "manual" ? undefined : nextHop(hop, answer, rule);
        if (next === undefined) return { status, headers: decodedHeaders(headers), body: await read(answer), drop };
        drop();
        return { status, headers, body: undefined as T, drop, next };
      } catch (error) {
        drop();
        throw error;
      }
    };

    const attempt = async (): Promise<Read<T>> => {
      let hop = first;
      for (let redirects = 0; redirects <= maxRedirects; redirects++) {
        const { next, ...answer } = await breakers(`${rule === undefined ? "open" : "guarded"} ${hop.url.origin}`, hop.url.host, () => exchange(hop)).catch((error: unknown) => {
          throw redirects > 0 ? asRedirectError(first.url.host, error) : error;
        });
        if (next === undefined) return answer;
        hop = next;
      }
      return fail(RedirectRefused, `${first.url.host} redirects more than ${maxRedirects} times. Use the URL that it means in the end.`);
    };

    const retries = retriesOf(request, options, clock, clock.now() + (request.timeoutMs ?? defaultTimeoutMs));
    retries.onRetry((reason) => {
      if ("value" in reason) (reason.value as Read<T>).drop();
    });
    return deadline.race(retries.execute(attempt, deadline.signal));
  }

  function start(request: HttpRequest): { first: Hop; deadline: Deadline } {
    const first = firstHop(request, request.userSupplied === true ? addressRule : undefined, userAgent);
    return { first, deadline: startDeadline(first.url.host, request.timeoutMs ?? defaultTimeoutMs, request.signal) };
  }

  return {
    async request(request) {
      const { first, deadline } = start(request);
      const maxBytes = request.maxBytes ?? defaultMaxBytes;
      try {
        const { status, headers, body } = await run(request, deadline, first, async (answer) => collect(readBody(answer, answer.body, maxBytes, deadline.signal)));
        return { status, headers, body };
      } finally {
        deadline.done();
      }
    },
    async stream(request) {
      const { first, deadline } = start(request);
      const maxBytes = request.maxBytes ?? defaultMaxBytes;
      try {
        const { status, headers, body } = await run(request, deadline, first, async (answer) => untilDone(readBody(answer, answer.body, maxBytes, deadline.signal), deadline));
        return { status, headers, body };
      } catch (error) {
        deadline.done();
        throw error;
      }
    },
    async close() {
      await Promise.all([open.destroy(), guarded.destroy()]);
    },
  };
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function* untilDone(body: AsyncIterable<Uint8Array>, deadline: Deadline): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } finally {
    deadline.done();
  }
}

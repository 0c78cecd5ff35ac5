import type { Readable, Writable } from "node:stream";
import { CliError } from "../../cli/errors.ts";
import { exchange, NotDelivered, type Session, type Target } from "./exchange.ts";
import { linesOf } from "./lines.ts";
import { errorMessage, invalidRequest, isMessage, notDelivered, parseError, type Message } from "./message.ts";

export interface BridgeOptions {
  /** Of the server, without a slash at the end. */
  url: string;
  /** An API key, or the token of a session. */
  token?: string;
  /** TypeID of the organization to work in. */
  organization?: string;
  stdin: Readable;
  stdout: Writable;
  signal: AbortSignal;
  fetch?: typeof globalThis.fetch;
  version?: string;
  /** A line for the person who runs the agent. */
  say?(line: string): void;
}

/** As the server takes at most, and the frame around it. */
const mostLineBytes = 2 * 1024 * 1024;
const graceMs = 5_000;

/**
 * Speaks MCP on standard input and output and passes each message on to /mcp of the server, as it is: the same tools,
 * permissions and versions of the protocol as there. Resolves when the input ends or `signal` aborts; calls in flight
 * then have 5 s to be answered. Throws CliError where the server cannot be used from the start.
 */
export async function runStdioBridge(options: BridgeOptions): Promise<void> {
  const { stdin, stdout } = options;
  const target: Target = {
    url: options.url, fetch: options.fetch ?? globalThis.fetch, userAgent: `qinfra/${options.version ?? "unknown"}`,
    ...(options.token !== undefined && { token: options.token }),
    ...(options.organization !== undefined && { organization: options.organization }),
  };
  await greet(target, options.signal);

  const ended = new AbortController();
  const all = AbortSignal.any([options.signal, ended.signal]);
  // Who does not read any more has gone.
  stdout.on("error", () => ended.abort());
  all.addEventListener("abort", () => stdin.destroy(), { once: true });
  const session: Session = {};
  const inFlight = new Map<Message["id"], { stop: AbortController; listens: boolean }>();
  const running = new Set<Promise<void>>();

  for await (const line of lines(stdin, all)) {
    if ("tooLong" in line) {
      write(errorMessage(null, invalidRequest, `A message may have at most ${mostLineBytes} bytes.`));
      continue;
    }
    if (line.text.trim() === "") continue;
    const message = parse(line.text);
    if (message === undefined) continue;
    if (message.method === "notifications/cancelled") {
      // Over HTTP a call is cancelled by closing its request.
      inFlight.get(message.params?.["requestId"] as Message["id"])?.stop.abort();
      continue;
    }
    const sent = pass(message).finally(() => running.delete(sent));
    running.add(sent);
  }
  for (const { stop, listens } of inFlight.values()) {
    if (listens || all.aborted) stop.abort();
  }
  const grace = setTimeout(() => ended.abort(), graceMs);
  await Promise.all(running);
  clearTimeout(grace);

  function write(message: Message): void {
    if (!stdout.writableEnded && !stdout.destroyed) stdout.write(`${JSON.stringify(message)}\n`);
  }

  function parse(text: string): Message | undefined {
    try {
      const value = JSON.parse(text) as unknown;
      if (isMessage(value)) return value;
      write(errorMessage(null, invalidRequest, "Send one JSON-RPC message a line."));
    } catch {
      write(errorMessage(null, parseError, "The line is not valid JSON."));
    }
    return undefined;
  }

  async function pass(message: Message): Promise<void> {
    const stop = new AbortController();
    const asks = message.id !== undefined && message.method !== undefined;
    if (asks) inFlight.set(message.id, { stop, listens: message.method === "subscriptions/listen" });
    let answered = false;
    try {
      await exchange(target, session, message, AbortSignal.any([all, stop.signal]), (answer) => {
        if (answer.method === undefined) answered = true;
        write(answer);
      });
      if (asks && !answered && !all.aborted && !stop.signal.aborted) throw new NotDelivered(`The server at ${target.url} broke off before it answered. Look whether the call was done before you repeat it.`);
    } catch (error) {
      const reason = error instanceof NotDelivered ? error : new NotDelivered(`This should not happen: ${String(error)}`, { cause: error });
      options.say?.(`${message.method ?? "message"}: ${reason.message}`);
      if (asks && !answered) write(errorMessage(message.id, notDelivered, reason.message, reason.problem));
    } finally {
      if (asks && inFlight.get(message.id)?.stop === stop) inFlight.delete(message.id);
    }
  }
}

async function* lines(stdin: Readable, signal: AbortSignal) {
  try {
    yield* linesOf(stdin, mostLineBytes);
  } catch (error) {
    // Reading was ended from our side.
    if (!signal.aborted) throw error;
  }
}

const discover: Message = {
  jsonrpc: "2.0", id: 0, method: "server/discover",
  params: { _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} } },
};

/** Asks once before an agent does, so that what is wrong is said to a person, and by an exit code. */
async function greet(target: Target, signal: AbortSignal): Promise<void> {
  let answer: Message | undefined;
  try {
    await exchange(target, {}, discover, AbortSignal.any([signal, AbortSignal.timeout(15_000)]), (message) => {
      answer = message;
    });
  } catch (error) {
    if (!(error instanceof NotDelivered)) throw error;
    throw new CliError(error.message, { cause: error, ...(error.status === 401 && { next: `run \`qinfra login --url ${target.url}\`, or set QINFRA_API_KEY to a key that is valid` }) });
  }
  if (signal.aborted || answer?.result !== undefined) return;
  throw new CliError(`${target.url} gave no answer to the greeting of MCP${answer?.error === undefined ? " within 15 s" : `: ${answer.error.message}`}.`, { next: "see that it runs, and that this is its address" });
}

import type { Problem } from "../../../platform/errors.ts";
import { mcpPath } from "../names.ts";
import { eventsOf } from "./event-stream.ts";
import { headersOf } from "./headers.ts";
import { isMessage, type Message } from "./message.ts";

export interface Target {
  /** Of the server, without a slash at the end. */
  url: string;
  token?: string;
  /** TypeID. */
  organization?: string;
  fetch: typeof globalThis.fetch;
  userAgent: string;
}

/** What an earlier version of the protocol settles once and then repeats with each request. */
export interface Session {
  version?: string;
  id?: string;
}

/** A refusal or silence of the server. `message` says what happened and what to do. */
export class NotDelivered extends Error {
  readonly status: number | undefined;
  readonly problem: Problem | undefined;

  constructor(message: string, options: { status?: number; problem?: Problem; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "NotDelivered";
    this.status = options.status;
    this.problem = options.problem;
  }
}

const sessionHeader = "mcp-session-id";
/** The server sends a sign of life every 15 s. */
const silenceMs = 60_000;
const mostCharacters = 8 * 1024 * 1024;

/** Sends one message and hands on each that comes back. Throws NotDelivered; an abort of `signal` ends it in silence. */
export async function exchange(target: Target, session: Session, message: Message, signal: AbortSignal, received: (message: Message) => void): Promise<void> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), silenceMs);
  try {
    const response = await target.fetch(`${target.url}${mcpPath}`, {
      method: "POST", body: JSON.stringify(message), redirect: "manual", signal: AbortSignal.any([signal, silence.signal]),
      headers: {
        "content-type": "application/json", accept: "application/json, text/event-stream", "user-agent": target.userAgent,
        ...(target.token !== undefined && { authorization: `Bearer ${target.token}` }),
        ...(target.organization !== undefined && { "qinfra-organization": target.organization }),
        ...(headersOf(message) ?? sessionHeaders(session, message)),
      },
    });
    const initialize = message.method === "initialize";
    const asks = message.id !== undefined && message.method !== undefined;
    if (initialize) setOrDelete(session, "id", response.headers.get(sessionHeader) ?? undefined);
    for await (const answer of answersIn(response, target.url, () => timer.refresh())) {
      if (initialize && typeof answer.result?.["protocolVersion"] === "string") session.version = answer.result["protocolVersion"];
      // An error from before the server knew the id; here it is plain whose it is.
      received(answer.id === null && answer.error !== undefined && asks ? { ...answer, id: message.id ?? null } : answer);
    }
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof NotDelivered) throw error;
    if (silence.signal.aborted) throw new NotDelivered(`The server at ${target.url} was silent for ${silenceMs / 1000} s. Look whether the call was done before you repeat it.`, { cause: error });
    throw new NotDelivered(`The server at ${target.url} does not answer (${reasonOf(error)}). See that it runs, and that this is its address.`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function sessionHeaders(session: Session, message: Message): Record<string, string> {
  if (message.method === "initialize") return {};
  return { ...(session.version !== undefined && { "mcp-protocol-version": session.version }), ...(session.id !== undefined && { [sessionHeader]: session.id }) };
}

function setOrDelete(session: Session, key: keyof Session, value: string | undefined): void {
  if (value === undefined) delete session[key];
  else session[key] = value;
}

async function* answersIn(response: Response, url: string, alive: () => void): AsyncGenerator<Message> {
  const type = (response.headers.get("content-type") ?? "").split(";")[0]?.trim() ?? "";
  if (type === "text/event-stream" && response.body !== null) {
    for await (const data of eventsOf(seen(response.body, alive), mostCharacters)) yield parsed(data, url);
    return;
  }
  let text = "";
  const decoder = new TextDecoder();
  if (response.body !== null) {
    for await (const chunk of seen(response.body, alive)) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > mostCharacters) throw new NotDelivered(`The server at ${url} answered more than ${mostCharacters} characters. Ask for less.`);
    }
  }
  if (response.status === 202 || (response.ok && text === "")) return;
  if (type === "application/json") {
    const message = parsed(text, url);
    if (message.jsonrpc === "2.0") return yield message;
  }
  throw refusal(response, type, text, url);
}

async function* seen(body: ReadableStream<Uint8Array>, alive: () => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    alive();
    yield chunk;
  }
}

function parsed(text: string, url: string): Message {
  try {
    const value = JSON.parse(text) as unknown;
    if (isMessage(value)) return value;
  } catch {
    // Said below.
  }
  throw new NotDelivered(`What the server at ${url} answered is no message of MCP. Give the address of the platform itself.`);
}

function refusal(response: Response, type: string, text: string, url: string): NotDelivered {
  const { status } = response;
  if (type === "application/problem+json") {
    const problem = parsed(text, url) as unknown as Problem;
    return new NotDelivered(`${problem.title}. ${problem.detail}`, { status, problem });
  }
  return new NotDelivered(`${url}${mcpPath} answered status ${status}, which is not MCP of this platform. Give the address of the platform itself.`, { status });
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message: string };
  return cause?.code ?? cause?.message ?? message;
}

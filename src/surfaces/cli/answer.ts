import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream as WebStream } from "node:stream/web";
import type { Problem } from "../../platform/errors.ts";
import type { Progress } from "../../platform/operation/operation.ts";
import { CliError, pendingError, problemError } from "./errors.ts";

export interface AnswerOptions {
  /** Called for each piece of the answer that arrives. */
  alive(): void;
  progress?(progress: Progress): void;
}

const mostBytes = 256 * 1024 * 1024;

/** What the server answered: JSON, or JSON lines that end in a result. Throws CliError for a refusal and for what is no answer of the platform. */
export async function answerOf(response: Response, url: string, options: AnswerOptions): Promise<unknown> {
  const type = (response.headers.get("content-type") ?? "").split(";")[0]?.trim() ?? "";
  if (response.status >= 300 && response.status < 400) {
    const target = response.headers.get("location");
    throw new CliError(`The server at ${url} sends requests elsewhere${target === null ? "" : `, to ${target}`}.`, { next: "give the address of the platform itself" });
  }
  if (type === "application/problem+json") {
    const problem = parsed(await textOf(response, options), url);
    throw isProblem(problem) ? problemError(problem) : foreign(response, url);
  }
  if (!response.ok) throw foreign(response, url);
  if (type === "application/x-ndjson") return lastOf(response, url, options);
  if (type !== "application/json" && response.status !== 204) throw foreign(response, url);
  const text = await textOf(response, options);
  if (response.status === 202) throw pendingError(parsed(text, url) as object);
  return text === "" ? {} : parsed(text, url);
}

async function lastOf(response: Response, url: string, options: AnswerOptions): Promise<unknown> {
  const lines = createInterface({ input: Readable.from(bounded(response, options)), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    if (line.trim() === "") continue;
    const value = parsed(line, url) as { progress?: Progress; problem?: Problem; pending?: object; result?: unknown };
    if (value.progress !== undefined) options.progress?.(value.progress);
    else if (value.problem !== undefined) throw problemError(value.problem);
    else if (value.pending !== undefined) throw pendingError(value.pending);
    else if ("result" in value) return value.result;
  }
  throw new CliError(`The server at ${url} broke off before it said how the operation ended.`, { next: "look whether it was done before you repeat it" });
}

async function textOf(response: Response, options: AnswerOptions): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bounded(response, options)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

async function* bounded(response: Response, options: AnswerOptions): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  let size = 0;
  for await (const chunk of response.body as WebStream<Uint8Array>) {
    options.alive();
    size += chunk.length;
    if (size > mostBytes) throw new CliError(`The answer is larger than ${mostBytes / 1024 / 1024} MiB.`, { next: "ask for less, for example by --limit" });
    yield chunk;
  }
}

function parsed(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliError(`The server at ${url} answered with text that is no JSON.`, { next: "check the address; a proxy may stand in between", cause: error });
  }
}

function isProblem(value: unknown): value is Problem {
  const { code, status, detail, title } = (value ?? {}) as Partial<Problem>;
  return typeof code === "string" && typeof status === "number" && typeof detail === "string" && typeof title === "string";
}

function foreign(response: Response, url: string): CliError {
  const { status } = response;
  return new CliError(`What answers at ${url} is not QL-RF (status ${status}).`, {
    next: "check the address; a proxy may stand in between",
    problem: { type: "about:blank", title: "Foreign answer", code: "foreign-answer", status, detail: `status ${status}` },
  });
}

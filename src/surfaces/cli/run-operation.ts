import { callOperation } from "./client.ts";
import { CliError } from "./errors.ts";
import { exit } from "./exit-codes.ts";
import { say } from "./io.ts";
import type { CliContext } from "./local-command.ts";
import type { OperationRecord } from "./manifest.ts";
import { itemsOf, valueAt } from "./output/answer-table.ts";
import { writeAnswer, type Format } from "./output/render.ts";
import { createProgressLine } from "./progress.ts";

export interface OperationRun {
  operation: OperationRecord;
  input: Record<string, unknown>;
  format: Format;
  /** Follow the cursors of a list to its end. */
  all: boolean;
  idempotencyKey?: string;
  /** File of a streamed body; `-` is standard input. */
  file?: string;
}

/** Runs one operation and writes its answer; the exit code says what became of it. */
export async function runOperation(context: CliContext, run: OperationRun): Promise<number> {
  const { io } = context;
  const { operation, format } = run;
  if (run.all && operation.list) return writeAllPages(context, run);
  const answer = await callOnce(context, run).catch(async (error: unknown) => {
    // A program reads what waits; a person reads the message.
    if (error instanceof CliError && error.pending !== undefined && format !== "table") await writeAnswer(io, operation, error.pending, format);
    throw error;
  });
  await writeAnswer(io, operation, answer, format);
  const next = operation.list ? (answer as { next?: string }).next : undefined;
  if (next !== undefined) say(io, `There is more: add --all, or --cursor ${next}`);
  return Math.max(reportEvent(context, answer), operation.list ? reportState(context, answer) : verdict(operation, answer));
}

function verdict({ cli }: OperationRecord, answer: unknown): number {
  if (cli?.failsWhen === undefined) return exit.done;
  return valueAt(answer, cli.failsWhen.field) === cli.failsWhen.is ? exit.refused : exit.done;
}

async function writeAllPages(context: CliContext, run: OperationRun): Promise<number> {
  const { io } = context;
  const collected: unknown[] = [];
  let answer: { next?: string } | undefined;
  let cursor: string | undefined;
  do {
    answer = (await callOnce(context, { ...run, input: { ...run.input, ...(cursor !== undefined && { cursor }) } })) as { next?: string };
    if (answer.next !== undefined && answer.next === cursor) throw new CliError("The server answered the same page twice.", { next: "repeat the command without --all" });
    cursor = answer.next;
    if (run.format === "jsonl") await writeAnswer(io, run.operation, answer, "jsonl");
    else collected.push(...(itemsOf(answer) ?? []));
  } while (cursor !== undefined);
  if (run.format !== "jsonl") await writeAnswer(io, run.operation, { ...answer, items: collected }, run.format);
  return reportState(context, answer);
}

/** One call, in this process where the operation is pure and can run here, else to the server. */
export async function callOnce(context: CliContext, { operation, input, idempotencyKey, file }: Pick<OperationRun, "operation" | "input" | "idempotencyKey" | "file">): Promise<unknown> {
  const { io } = context;
  const pure = operation.effect === "pure" ? await io.pure?.(operation.id) : undefined;
  if (pure !== undefined) return pure(input);
  const connection = await context.connected();
  const line = createProgressLine(io);
  try {
    return await callOperation(io, connection, operation, {
      input, progress: (progress) => line.show(progress),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      ...(operation.body !== undefined && file !== undefined && { body: await fileBody(context, operation.body.contentTypes, file) }),
    });
  } finally {
    line.end();
  }
}

async function fileBody({ io }: CliContext, contentTypes: readonly string[], file: string): Promise<{ contentType: string; content: AsyncIterable<Uint8Array> }> {
  const { openInput } = await import("../../modules/software/parsers/read-input.ts");
  return { contentType: contentTypes[0] ?? "application/octet-stream", content: openInput(file, { stdin: io.stdin }) };
}

const unknownStates: Readonly<Record<string, string>> = {
  pending: "what it would hold is not known yet; ask again in a moment",
  failed: "what it would hold is not known; the server's log says why",
  "never-scanned": "nothing is known, because nothing was ever scanned",
};

/** A list that says that it is not known is never shown as an empty one. */
function reportState({ io }: Pick<CliContext, "io">, answer: unknown): number {
  const { state } = answer as { state?: unknown };
  if (state === "stale") say(io, "warning: this list is stale: it was made with earlier data");
  const why = typeof state === "string" ? unknownStates[state] : undefined;
  if (why === undefined) return exit.done;
  say(io, `error: This list is ${String(state)}: ${why}.`);
  return exit.failed;
}

/** A change whose event is not handled has no known outcome yet, and is never shown as if it had. */
export function reportEvent({ io }: Pick<CliContext, "io">, answer: unknown): number {
  const event = (answer as { event?: { id?: string; state?: string } } | null)?.event;
  if (event?.state === "pending") say(io, `warning: event ${event.id} is still pending: what follows from it is not known yet`);
  if (event?.state === "failed") say(io, `error: event ${event.id} failed: what should follow from it is not known; the server's log says why`);
  return event?.state === "pending" || event?.state === "failed" ? exit.failed : exit.done;
}

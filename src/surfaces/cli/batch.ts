import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { DeclaredError, toProblem } from "../../platform/errors.ts";
import { openInput } from "../../modules/software/parsers/read-input.ts";
import { CliError, errorText } from "./errors.ts";
import { exit } from "./exit-codes.ts";
import { fieldsOf } from "./fields.ts";
import { say, write } from "./io.ts";
import type { CliContext } from "./local-command.ts";
import type { OperationRecord } from "./manifest.ts";
import { callOnce, reportEvent } from "./run-operation.ts";

/**
 * Runs an operation once for each line of a file of JSON inputs; fields given as options hold for every line that does
 * not say otherwise. Answers one line for each: `{"line", "result"}`, `{"line", "pending"}` or `{"line", "problem"}`. A line that is refused
 * or waits for an approval does not stop the others; no connection does.
 */
export async function runBatch(context: CliContext, operation: OperationRecord, common: Record<string, unknown>, file: string, idempotencyKey?: string): Promise<number> {
  const { io } = context;
  let worst: number = exit.done;
  let number = 0;
  const lines = createInterface({ input: Readable.from(openInput(file, { stdin: io.stdin })), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    number += 1;
    if (line.trim() === "") continue;
    try {
      const input = { ...common, ...readLine(operation, line) };
      const result = await callOnce(context, { operation, input, ...(idempotencyKey !== undefined && { idempotencyKey: `${idempotencyKey}-${number}` }) });
      await write(io, `${JSON.stringify({ line: number, result })}\n`);
      worst = Math.max(worst, reportEvent(context, result));
    } catch (error) {
      const known = knownError(error);
      if (known.pending !== undefined) {
        await write(io, `${JSON.stringify({ line: number, pending: known.pending })}\n`);
        worst = Math.max(worst, known.exitCode);
        continue;
      }
      await write(io, `${JSON.stringify({ line: number, problem: known.problem ?? { code: "invalid-input", detail: known.message } })}\n`);
      say(io, `line ${number}: ${errorText(known)}`);
      worst = Math.max(worst, known.exitCode);
    }
  }
  return worst;
}

class LineError extends CliError {}

function readLine(operation: OperationRecord, line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new LineError("This is no JSON.", { next: "write one JSON object a line" });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new LineError("This is no JSON object.", { next: "write one JSON object a line" });
  const known = new Set(fieldsOf(operation).map((field) => field.name));
  const unknown = Object.keys(value).find((name) => !known.has(name));
  if (unknown !== undefined) throw new LineError(`There is no field ${JSON.stringify(unknown)} here.`, { next: `the fields are: ${[...known].join(", ")}` });
  return value as Record<string, unknown>;
}

/** What concerns one line; everything else ends the batch. */
function knownError(error: unknown): CliError {
  if (error instanceof DeclaredError) {
    const problem = toProblem(error);
    return new CliError(problem.detail, { problem });
  }
  if (error instanceof LineError) return error;
  if (error instanceof CliError && error.pending !== undefined) return error;
  if (error instanceof CliError && error.problem !== undefined && error.problem.code !== "unauthenticated") return error;
  throw error;
}

import { exit } from "./exit-codes.ts";
import { followStream } from "./follow-stream.ts";
import { printable } from "./errors.ts";
import { say, widthOf, write } from "./io.ts";
import type { CliContext } from "./local-command.ts";
import type { OperationRecord } from "./manifest.ts";
import { valueAt } from "./output/answer-table.ts";
import type { Format } from "./output/render.ts";

/** Writes what comes, a line each, until the reader goes away or Ctrl-C. Where the connection breaks it goes on from there. */
export async function runStream(context: CliContext, operation: OperationRecord, input: Record<string, unknown>, format: Format): Promise<number> {
  const { io } = context;
  const connection = await context.connected();
  const columns = createColumns(operation.cli?.columns ?? []);
  const events = followStream(io, connection, operation, input, {
    lost: (why) => say(io, `${why?.message ?? "The server ended the connection."} Connecting again; nothing is left out.`),
  });
  for await (const { data } of events) await write(io, format === "jsonl" ? `${data}\n` : `${fit(columns(JSON.parse(data)), widthOf(io.stdout))}\n`);
  return exit.done;
}

/** Each column as wide as the widest value so far: there is no last line to wait for. */
function createColumns(columns: readonly string[]): (value: unknown) => string {
  const widths = columns.map(() => 0);
  return (value) => columns.map((column, at) => {
    const text = printable(String(valueAt(value, column) ?? "-"));
    widths[at] = Math.max(widths[at] ?? 0, text.length);
    return at === columns.length - 1 ? text : text.padEnd(widths[at]);
  }).join("  ");
}

/** A terminal that does not know how wide it is says 0. */
function fit(text: string, width = 0): string {
  return width === 0 ? text : text.slice(0, width);
}

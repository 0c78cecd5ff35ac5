import { hasColour, widthOf, write, type CliIo } from "../io.ts";
import type { OperationRecord } from "../manifest.ts";
import { answerTable, itemsOf } from "./answer-table.ts";

export const formats = ["table", "json", "yaml", "jsonl"] as const;
/** Of what comes one by one, without an end. */
export const streamFormats = ["table", "jsonl"] as const;
export type Format = (typeof formats)[number];

/** Writes an answer to standard output in the chosen format, and nothing beside it. */
export async function writeAnswer(io: CliIo, operation: OperationRecord, answer: unknown, format: Format): Promise<void> {
  await write(io, await render(io, operation, answer, format));
}

async function render(io: CliIo, operation: OperationRecord, answer: unknown, format: Format): Promise<string> {
  if (format === "json") return `${JSON.stringify(answer, null, 2)}\n`;
  if (format === "jsonl") return (itemsOf(answer) ?? [answer]).map((item) => `${JSON.stringify(item)}\n`).join("");
  if (format === "table") return answerTable(operation, answer, { width: widthOf(io.stdout), colour: hasColour(io, io.stdout) });
  const { yamlText } = await import("./yaml.ts");
  return yamlText(answer);
}

import type { Progress } from "../../platform/operation/operation.ts";
import { printable } from "./errors.ts";
import { widthOf, type CliIo } from "./io.ts";

export interface ProgressLine {
  show(progress: Progress): void;
  /** Takes the line off the terminal. */
  end(): void;
}

const terminalMs = 100;
const logMs = 3_000;

/** Progress on standard error: one line that changes on a terminal, elsewhere a line every few seconds. */
export function createProgressLine(io: Pick<CliIo, "stderr" | "now">): ProgressLine {
  const width = widthOf(io.stderr);
  // In a log the first line waits as well: what is done at once needs none.
  let last = width === undefined ? io.now() : Number.NEGATIVE_INFINITY;
  let shown = false;
  return {
    show(progress) {
      const now = io.now();
      if (now - last < (width === undefined ? logMs : terminalMs)) return;
      last = now;
      const text = progressText(progress);
      io.stderr.write(width === undefined ? `${text}\n` : `\r\x1b[K${text.slice(0, width - 1)}`);
      shown = width !== undefined;
    },
    end() {
      if (shown) io.stderr.write("\r\x1b[K");
      shown = false;
    },
  };
}

export function progressText({ step, done, total }: Progress): string {
  const name = printable(step);
  if (done === undefined) return name;
  if (total === undefined || total <= 0) return `${name}: ${done}`;
  return `${name}: ${done} of ${total} (${Math.floor((Math.min(done, total) / total) * 100)} %)`;
}

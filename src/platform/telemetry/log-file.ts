import { closeSync, openSync, writeSync } from "node:fs";
import type { DestinationStream } from "pino";

export interface LogFile extends DestinationStream {
  /** Writes what is gathered. */
  flush(): void;
  close(): void;
}

/**
 * Appends to a file that only its owner can read. The lines of one turn of the event loop are one write, because a
 * write a line is a large part of what a small request costs; the end of the process writes the last ones.
 * A write that fails (a full disk) is reported once until one succeeds, and its lines are gone.
 */
export function openLogFile(path: string, failed: (error: Error) => void): LogFile {
  const file = openSync(path, "a", 0o600);
  let gathered = "";
  let planned = false;
  let failing = false;

  function flush(): void {
    planned = false;
    if (gathered === "") return;
    const text = gathered;
    gathered = "";
    try {
      writeSync(file, text);
      failing = false;
    } catch (error) {
      if (!failing) failed(error as Error);
      failing = true;
    }
  }

  process.on("exit", flush);
  return {
    write(line) {
      gathered += line;
      if (planned) return;
      planned = true;
      setImmediate(flush);
    },
    flush,
    close() {
      flush();
      process.off("exit", flush);
      closeSync(file);
    },
  };
}

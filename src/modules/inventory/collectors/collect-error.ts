import { excerpt } from "../../software/input-error.ts";

export type CollectErrorCode =
  | "bad-option"
  | "bad-target"
  | "cancelled"
  | "connection-failed"
  | "connection-refused"
  | "host-key-changed"
  | "host-key-unknown"
  | "host-unknown"
  | "malformed-answer"
  | "no-ssh"
  | "no-sh"
  | "not-our-answer"
  | "permission-denied"
  | "timeout"
  | "tool-missing"
  | "too-large"
  | "truncated-answer"
  | "unsupported-system";

export interface CollectErrorDetails {
  /** What to do; begins in lower case, without a full stop. */
  next?: string;
  /** Exit status of ssh. */
  exitStatus?: number;
  /** The last lines that ssh wrote to standard error, printable. */
  stderr?: readonly string[];
  cause?: unknown;
}

/** A host that could not be collected. `message` says what happened and why, `next` what to do. */
export class CollectError extends Error {
  readonly code: CollectErrorCode;
  readonly next: string | undefined;
  readonly exitStatus: number | undefined;
  readonly stderr: readonly string[];

  constructor(code: CollectErrorCode, what: string, { next, exitStatus, stderr = [], cause }: CollectErrorDetails = {}) {
    super(`${what}${origin(exitStatus, stderr)}`, cause === undefined ? undefined : { cause });
    this.name = "CollectError";
    this.code = code;
    this.next = next;
    this.exitStatus = exitStatus;
    this.stderr = stderr;
  }
}

function origin(exitStatus: number | undefined, stderr: readonly string[]): string {
  if (exitStatus === undefined && stderr.length === 0) return "";
  const status = exitStatus === undefined ? "" : ` with status ${exitStatus}`;
  const said = stderr.length === 0 ? "" : `${exitStatus === undefined ? "" : " and"} said: ${stderr.join(" / ")}`;
  return ` (ssh${exitStatus === undefined ? "" : " ended"}${status}${said})`;
}

/** The last lines of what a program wrote to standard error, safe to print. */
export function lastLines(text: string, count = 5): string[] {
  return text.split(/[\r\n]+/).map((line) => excerpt(line, 200)).filter((line) => line !== "" && !/^[@\s]+$/.test(line)).slice(-count);
}

import type { Problem } from "../../platform/errors.ts";
import { exit, exitCodeOf } from "./exit-codes.ts";

/** What a command tells its user before it ends. `message` says what happened and why, `next` what to do. */
export class CliError extends Error {
  readonly exitCode: number;
  readonly next: string | undefined;
  readonly problem: Problem | undefined;

  constructor(message: string, options: { exitCode?: number; next?: string; problem?: Problem; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.exitCode = options.exitCode ?? exit.failed;
    this.next = options.next;
    this.problem = options.problem;
  }
}

const nextSteps: Record<string, string> = {
  unauthenticated: "run `qinfra login`, or set QINFRA_API_KEY to a key that is valid",
  "password-change-required": "run `qinfra login` and choose a password",
  "too-many-requests": "wait, then repeat the command",
  draining: "repeat the command in a moment",
  "database-unavailable": "repeat the command in a moment; if it stays, look at the server's log",
  internal: "look for the request id in the server's log",
};

/** A refusal of the server as its user sees it. */
export function problemError(problem: Problem): CliError {
  const wait = problem.data?.["retryAfterSeconds"];
  const next = typeof wait === "number" ? `wait ${Math.ceil(wait)} s, then repeat the command` : nextSteps[problem.code];
  return new CliError(problem.detail === "" ? problem.title : problem.detail, {
    exitCode: exitCodeOf(problem), problem, ...(next !== undefined && { next }),
  });
}

/** Lines for standard error. Text of the server is a stranger's: no control characters reach the terminal. */
export function errorText(error: CliError): string {
  const lines = [`error: ${error.message}`];
  if (error.next !== undefined) lines.push(`  next: ${error.next}`);
  if (error.problem !== undefined) {
    const { code, status, requestId } = error.problem;
    lines.push(`  code: ${code} (${status})${requestId === undefined ? "" : `, request: ${requestId}`}`);
  }
  return lines.map(printable).join("\n");
}

/** One line of text without control or formatting characters. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ");
}

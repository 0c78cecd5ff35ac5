import type { Problem } from "../../platform/errors.ts";
import { exit, exitCodeOf } from "./exit-codes.ts";
import { kebab } from "./schema.ts";

/** What a command tells its user before it ends. `message` says what happened and why, `next` what to do. */
export class CliError extends Error {
  readonly exitCode: number;
  readonly next: string | undefined;
  readonly problem: Problem | undefined;
  /** What the server answered instead of a result: a request that waits for people. */
  readonly pending: unknown;

  constructor(message: string, options: { exitCode?: number; next?: string; problem?: Problem; pending?: unknown; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.exitCode = options.exitCode ?? exit.failed;
    this.next = options.next;
    this.problem = options.problem;
    this.pending = options.pending;
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

/** What lists the things whose ids begin so. */
const listings: Record<string, string> = {
  apr: "qinfra approvals list", ast: "qinfra assets list", chn: "qinfra channels list", dlg: "qinfra approvals delegations", dlv: "qinfra deliveries list", img: "qinfra images list",
  key: "qinfra api-keys list", rul: "qinfra notification-rules list", run: "qinfra workflows list", sch: "qinfra schedules list", ses: "qinfra sessions list", sit: "qinfra sites list",
  usr: "qinfra members list",
};

/** A refusal of the server as its user sees it. */
export function problemError(problem: Problem): CliError {
  const wait = problem.data?.["retryAfterSeconds"];
  const misnamed = idFault(problem);
  const next = typeof wait === "number" ? `wait ${Math.ceil(wait)} s, then repeat the command` : (misnamed?.next ?? nextSteps[problem.code]);
  return new CliError(misnamed?.message ?? (problem.detail === "" ? problem.title : problem.detail), {
    exitCode: exitCodeOf(problem), problem, ...(next !== undefined && { next }),
  });
}

/** What has not run, because people have to approve it first. */
export function pendingError(pending: { approval?: string; message?: string }): CliError {
  return new CliError(pending.message ?? "It waits for an approval.", { pending, next: `qinfra approvals get ${pending.approval ?? ""}` });
}

/** A name where an id belongs, which is the one fault of the input: with what lists such ids. */
function idFault({ code, data }: Problem): { message: string; next?: string } | undefined {
  const faults = data?.["faults"];
  const [fault] = code === "invalid-input" && Array.isArray(faults) && faults.length === 1 ? (faults as { path?: unknown; message?: unknown }[]) : [];
  const field = /^\/(\w+)$/.exec(String(fault?.path))?.[1];
  const prefix = /^must be an id, which begins with ([a-z]{3})_$/.exec(String(fault?.message))?.[1];
  if (field === undefined || prefix === undefined) return undefined;
  const listing = listings[prefix];
  return { message: `${kebab(field)} has to be an id, which begins with ${prefix}_.`, ...(listing !== undefined && { next: `${listing} shows ids` }) };
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

import type { Logger } from "pino";
import { actorId, type Actor } from "../actor.ts";
import { whatIsNoSecret } from "./secret-fields.ts";
import type { Operation } from "./operation.ts";
import type { Call } from "./services.ts";

/** Bytes of an input or an answer that a line of the log shows. */
const mostBytes = 4_096;

export interface LoggedCall {
  operation: Operation;
  call: Call;
  actor: Actor | undefined;
  status: number;
  ms: number;
  output?: unknown;
}

/** Logs what came and went: at level debug who asked for what, at level trace also what was answered. Secrets are left out. */
export function logCall(log: Logger, { operation, call, actor, status, ms, output }: LoggedCall): void {
  if (!log.isLevelEnabled("debug")) return;
  const line = {
    operation: operation.id, door: call.door, requestId: call.requestId, status, ms: Math.round(ms * 10) / 10,
    ...(actor === undefined ? {} : { actor: actorId(actor), ...(actor.orgId !== undefined && { org: actor.orgId }) }),
    input: cut(whatIsNoSecret(operation, call.input)),
  };
  if (!log.isLevelEnabled("trace")) return log.debug(line, "call");
  log.trace({ ...line, output: operation.answersSecret === true ? "[redacted]" : cut(output) }, "call");
}

function cut(value: unknown): unknown {
  const text = JSON.stringify(value) ?? "";
  return Buffer.byteLength(text) <= mostBytes ? value : `${text.slice(0, mostBytes)} ... (${Buffer.byteLength(text)} bytes)`;
}

import type { CallToolResult, ServerContext } from "@modelcontextprotocol/server";
import { DeclaredError, Internal, InvalidInput } from "../../platform/errors.ts";
import type { ApprovalPending } from "../../platform/operation/index.ts";
import type { Operation } from "../../platform/operation/operation.ts";
import { execute } from "../../platform/operation/pipeline.ts";
import { routeOf } from "../../platform/operation/registry.ts";
import type { Call, Services } from "../../platform/operation/services.ts";
import type { Caller } from "./caller.ts";
import { meta } from "./names.ts";
import { progressOf } from "./progress.ts";
import { AnswerTooLarge, toolError, waiting } from "./tool-error.ts";

/** Most bytes of JSON that a tool answers; a model could not read more. */
export const mostAnswerBytes = 1024 * 1024;

/** Runs an operation for a client. What the pipeline refuses is a tool error, which the model can read and act on. */
export async function callTool(
  services: Services, operation: Operation, input: Record<string, unknown>, caller: Caller, context: ServerContext, signal: AbortSignal,
): Promise<CallToolResult> {
  try {
    const call: Call = {
      door: "mcp", requestId: caller.requestId, credentials: caller.credentials, address: caller.address, input, fromText: false, signal,
      ...idempotencyKeyOf(context), ...progressTo(context, signal),
    };
    // Who asks was established for this very request, whose status 401 could not be said any more.
    const known: Services = { ...services, authenticate: () => Promise.resolve(caller.actor) };
    const { output, status } = await execute(known, operation, call);
    return status === 202 ? waiting(output as ApprovalPending) : answer(operation, input, output);
  } catch (error) {
    return toolError(error instanceof DeclaredError ? error : new DeclaredError(Internal), caller.requestId);
  }
}

function answer(operation: Operation, input: Record<string, unknown>, output: unknown): CallToolResult {
  const text = JSON.stringify(output ?? null);
  const bytes = Buffer.byteLength(text);
  if (bytes > mostAnswerBytes) throw new DeclaredError(AnswerTooLarge, tooLarge(operation, input, bytes), { bytes, mostBytes: mostAnswerBytes });
  // The text is for clients that do not read structured content.
  return { content: [{ type: "text", text }], structuredContent: output as NonNullable<CallToolResult["structuredContent"]> };
}

function tooLarge(operation: Operation, input: Record<string, unknown>, bytes: number): string {
  const changes = operation.effect === "change" || operation.effect === "destructive";
  const said = `${changes ? "It was done, do not repeat it; only the" : "The"} answer has ${bytes} bytes, and a tool answers at most ${mostAnswerBytes}.`;
  const { method, path } = routeOf(operation);
  if (!("limit" in operation.input.properties)) return `${said} ${changes ? "Read what you need of it with another tool." : `Ask for less of it, or read it over HTTP: ${method} ${path}.`}`;
  const now = typeof input["limit"] === "number" ? ` (now ${input["limit"]})` : "";
  return `${said} Ask for fewer items by \`limit\`${now} and follow \`next\` as \`cursor\`.`;
}

function idempotencyKeyOf(context: ServerContext): { idempotencyKey?: string } {
  const key = (context.mcpReq._meta as Record<string, unknown> | undefined)?.[meta.idempotencyKey];
  if (key === undefined) return {};
  if (typeof key !== "string" || !/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new DeclaredError(InvalidInput, `_meta.${meta.idempotencyKey} must be 1 to 200 printable characters without spaces.`);
  }
  return { idempotencyKey: key };
}

/** Progress goes to a client that asked for it by a token. */
function progressTo(context: ServerContext, signal: AbortSignal): Pick<Call, "progress"> {
  const token = context.mcpReq._meta?.progressToken;
  if (token === undefined) return {};
  const next = progressOf(token);
  return {
    progress(report) {
      // One that cannot be sent any more is of no interest to anybody.
      if (!signal.aborted) void context.mcpReq.notify({ method: "notifications/progress", params: { ...next(report) } }).catch(() => undefined);
    },
  };
}

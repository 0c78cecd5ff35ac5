import type { CallToolResult } from "@modelcontextprotocol/server";
import { errorType, toProblem, type DeclaredError, type Problem } from "../../platform/errors.ts";
import type { ApprovalPending } from "../../platform/operation/index.ts";
import { meta } from "./names.ts";

export const AnswerTooLarge = errorType("answer-too-large", 422, "The answer is too large for a tool");

/**
 * A refusal as the model behind the client reads it: what happened, why, and the next step. The problem details travel
 * in `_meta`, because `structuredContent` has to keep to the tool's output schema, which clients check for errors too.
 */
export function toolError(error: DeclaredError, requestId: string): CallToolResult {
  const problem = toProblem(error, requestId);
  return { isError: true, content: [{ type: "text", text: textOf(problem) }], _meta: { [meta.problem]: problem } };
}

/** Nothing has been done, so that the answer cannot be what the tool's output schema says. */
export function waiting(pending: ApprovalPending): CallToolResult {
  const text = `${pending.message}\nNext: do not repeat the call; tell the person that ${pending.approval} waits for their approval. approvals_get shows how it stands, and the output once it has run.`;
  return { isError: true, content: [{ type: "text", text }], _meta: { [meta.approval]: pending } };
}

function textOf(problem: Problem): string {
  const what = problem.detail === problem.title ? `${problem.title}.` : `${problem.title}. ${problem.detail}`;
  const next = nextStep(problem);
  return [what, ...(next === undefined ? [] : [`Next: ${next}`]), `(code ${problem.code}, request ${problem.requestId ?? "unknown"})`].join("\n");
}

const nextSteps: Record<string, string> = {
  "invalid-input": "correct the fields that are named and call again; the tool's input schema says what each takes.",
  "permission-missing": "do not repeat the call; tell the person that the permission is missing.",
  "policy-denied": "do not repeat the call; tell the person which policy refused it.",
  "approval-unavailable": "do not repeat the call; ask the person to run it by `qinfra` or over HTTP.",
  "not-found": "look up the id with a tool that lists such things.",
  conflict: "read the present state, then decide again.",
  cancelled: "call again if the result is still wanted.",
  draining: "call again in a moment.",
  "database-unavailable": "call again in a moment.",
  internal: "do not repeat the call; report the request id to whoever runs the platform.",
};

function nextStep(problem: Problem): string | undefined {
  const wait = problem.data?.["retryAfterSeconds"];
  if (typeof wait === "number") return `wait ${Math.ceil(wait)} s, then call again.`;
  return nextSteps[problem.code];
}

import { mcpName } from "../../src/platform/operation/registry.ts";
import type { Operation } from "../../src/platform/operation/index.ts";
import type { Caller, TestPlatform } from "../../src/app/testing.ts";

export interface Reply {
  status: number;
  result?: { tools?: { name: string }[]; isError?: boolean; content?: { text: string }[]; _meta?: Record<string, { code: string; status: number }> };
  error?: { code: number; message: string };
}

/** One JSON-RPC request; the reply comes as JSON or as the last event of a stream. */
export async function rpc(platform: TestPlatform, as: Caller, method: string, params: string, authorization?: string): Promise<Reply> {
  const answer = await platform.inject({
    method: "POST", url: "/mcp", payload: `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`,
    headers: {
      "content-type": "application/json", accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25",
      ...(authorization === undefined ? {} : { authorization }),
    },
  }, as);
  const data = answer.text.split("\n").filter((line) => line.startsWith("data: ")).at(-1)?.slice("data: ".length);
  const message = (data === undefined ? answer.body : JSON.parse(data)) as Omit<Reply, "status">;
  return { ...message, status: answer.status };
}

export function callTool(platform: TestPlatform, as: Caller, operation: Operation, input: unknown, authorization?: string): Promise<Reply> {
  return rpc(platform, as, "tools/call", JSON.stringify({ name: mcpName(operation), arguments: input }), authorization);
}

/** `ok`, or the code of the refusal. */
export function outcome(reply: Reply): string {
  if (reply.error !== undefined) return `error ${reply.error.code}`;
  if (reply.result?.isError !== true) return "ok";
  return Object.values(reply.result._meta ?? {})[0]?.code ?? `no problem: ${JSON.stringify(reply).slice(0, 200)}`;
}

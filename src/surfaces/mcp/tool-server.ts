import { ProtocolError, ProtocolErrorCode, Server, type CallToolRequest, type CallToolResult, type ServerContext } from "@modelcontextprotocol/server";
import type { Services } from "../../platform/operation/services.ts";
import { callTool } from "./call-tool.ts";
import type { Cancellations } from "./cancellations.ts";
import { cancellationKey, type Caller } from "./caller.ts";
import { listedFor } from "./listing.ts";
import type { OperationTool } from "./tools.ts";

export interface ToolDoor {
  services: Services;
  tools: ReadonlyMap<string, OperationTool>;
  cancellations: Cancellations;
  version: string;
  /** Told of every call, so that a server that drains can wait for it. */
  began(call: Promise<unknown>): void;
}

const instructions = `QL-RF: golden images, assets, the packages in them, and their vulnerabilities.
Each tool is one operation of the platform, under the same permissions, policies and audit as over HTTP. You act as a program, whoever you act for: what destroys needs a person.
An answer of couldNotMatch, pending, failed or unknown means that something is not known; never report it as safe.
Lists answer pages: pass \`next\` as \`cursor\`.`;

/**
 * An MCP server for one request of one caller. It is the low-level `Server`: the registry has each tool's JSON schema,
 * and the pipeline alone checks input, so that every door refuses with the same words.
 */
export function createToolServer(door: ToolDoor, caller: Caller): Server {
  const server = new Server({ name: "qinfra", title: "QL-RF", version: door.version }, { capabilities: { tools: {} }, instructions });
  server.setRequestHandler("tools/list", async () => ({ tools: await listedFor(door.services, door.tools.values(), caller.actor) }));
  server.setRequestHandler("tools/call", async (request, context) => {
    const called = door.tools.get(request.params.name);
    if (called === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool ${request.params.name}; tools/list names those that there are.`);
    const running = run(door, called, caller, request, context);
    door.began(running);
    return server.projectCallToolResult(await running, called.tool.outputSchema);
  });
  return server;
}

async function run({ services, cancellations }: ToolDoor, { operation }: OperationTool, caller: Caller, request: CallToolRequest, context: ServerContext): Promise<CallToolResult> {
  const key = cancellationKey(caller, context.mcpReq.id);
  const cancellable = key === undefined ? undefined : cancellations.begin(key);
  try {
    const signals = [context.mcpReq.signal, ...(cancellable === undefined ? [] : [cancellable.signal])];
    return await callTool(services, operation, request.params.arguments ?? {}, caller, context, AbortSignal.any(signals));
  } finally {
    cancellable?.end();
  }
}

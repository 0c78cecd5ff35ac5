import type { AuthInfo } from "@modelcontextprotocol/server";
import { actorId, type Actor } from "../../platform/actor.ts";
import type { Credentials } from "../../platform/operation/services.ts";

/** Who sent an HTTP request to /mcp, established once for all that it asks. */
export interface Caller {
  actor: Actor;
  credentials: Credentials;
  address: string;
  requestId: string;
  /** `Mcp-Session-Id`, of clients of protocol 2025-11-25. */
  session?: string;
}

/** The caller as the SDK carries it to a handler. The token stays behind. */
export function authInfoOf(caller: Caller): AuthInfo {
  return { token: "", clientId: actorId(caller.actor), scopes: [], extra: { caller } };
}

export function callerOf(info: AuthInfo | undefined): Caller {
  const caller = info?.extra?.["caller"] as Caller | undefined;
  if (caller === undefined) throw new Error("an MCP request reached its handler without its caller");
  return caller;
}

/** The name under which only this caller can cancel a call; undefined where the client has no session. */
export function cancellationKey(caller: Caller, id: unknown): string | undefined {
  if (caller.session === undefined || (typeof id !== "string" && typeof id !== "number")) return undefined;
  return JSON.stringify([actorId(caller.actor), caller.session, id]);
}

import type { Message } from "./message.ts";

const versionKey = "io.modelcontextprotocol/protocolVersion";

/**
 * Headers that streamable HTTP of protocol 2026-07-28 repeats from a message, so that what stands between need not read
 * its body; undefined for a message of an earlier version, which carries no version of its own.
 */
export function headersOf(message: Message): Record<string, string> | undefined {
  const version = (message.params?.["_meta"] as Record<string, unknown> | undefined)?.[versionKey];
  if (typeof version !== "string" || message.method === undefined) return undefined;
  const name = message.method === "resources/read" ? message.params?.["uri"] : message.params?.["name"];
  const named = ["tools/call", "prompts/get", "resources/read"].includes(message.method) && typeof name === "string";
  return { "mcp-protocol-version": encoded(version), "mcp-method": encoded(message.method), ...(named && { "mcp-name": encoded(name) }) };
}

/** A field value of plain ASCII as it is, anything else as the protocol wraps it. */
function encoded(value: string): string {
  const plain = /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !/^=\?base64\?.*\?=$/.test(value);
  return plain ? value : `=?base64?${Buffer.from(value).toString("base64")}?=`;
}

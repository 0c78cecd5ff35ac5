import { expect, it } from "vitest";
import { headersOf } from "./headers.ts";

const _meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };

it.each([
  ["a call", { method: "tools/call", params: { name: "a_b", _meta } }, { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "a_b" }],
  ["a list", { method: "tools/list", params: { _meta } }, { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" }],
  ["a resource", { method: "resources/read", params: { uri: "x:y", _meta } }, { "mcp-protocol-version": "2026-07-28", "mcp-method": "resources/read", "mcp-name": "x:y" }],
  ["a name beyond ASCII", { method: "tools/call", params: { name: "é\r\n", _meta } }, { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "=?base64?w6kNCg==?=" }],
  ["a message of an earlier version", { method: "tools/call", params: { name: "a" } }, undefined],
])("given %s, then its headers follow from it", (_case, message, expected) => {
  expect(headersOf(message)).toEqual(expected);
});

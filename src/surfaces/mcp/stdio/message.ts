/** A JSON-RPC 2.0 message as far as the bridge looks at it. */
export interface Message {
  jsonrpc?: unknown;
  id?: string | number | null;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { code: number; message: string; data?: unknown };
}

export const parseError = -32700;
export const invalidRequest = -32600;
/** Internal error: the server could not be reached, or refused the request. Clients have other uses for the codes from -32000 on. */
export const notDelivered = -32603;

export function isMessage(value: unknown): value is Message {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function errorMessage(id: Message["id"], code: number, message: string, data?: unknown): Message {
  return { jsonrpc: "2.0", id: id ?? null, error: { code, message, ...(data !== undefined && { data }) } };
}

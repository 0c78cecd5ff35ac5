/** Where /mcp is mounted. */
export const mcpPath = "/mcp";

/** Keys of `_meta` that are ours. Their prefix is the platform's API group, as the specification asks of extensions. */
export const meta = {
  /** On a tool: the id of the operation, the same in logs, events and over HTTP. */
  operation: "qinfra.quantumlayer.io/operation",
  /** On a tool error: the problem details, RFC 9457. */
  problem: "qinfra.quantumlayer.io/problem",
  /** On a tool error: the request that waits for people. */
  approval: "qinfra.quantumlayer.io/approval",
  /** On a call of a tool that changes something: repeating it with the same key and arguments answers the first answer again. */
  idempotencyKey: "qinfra.quantumlayer.io/idempotency-key",
} as const;

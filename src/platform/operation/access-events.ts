import { Type } from "typebox";
import { eventType } from "../events/declare.ts";

const permission = "audit:read";
const Code = Type.String({ pattern: "^[a-z][a-z0-9-]*$", maxLength: 100 });

/** What a refused caller showed. */
export const strangerReasons = ["nothing", "session", "api-key", "token", "cookie", "sign-in"] as const;

export const AccessRefused = eventType({
  type: "access.refused", summary: "Somebody who is known was refused", permission,
  data: {
    operation: Type.String({ pattern: "^[a-z][a-z0-9.-]*$", maxLength: 100, description: "What they asked for" }),
    code: { ...Code, description: "Code of the error" },
    permission: Type.Optional(Type.String({ pattern: "^[a-z][a-z:*-]*$", maxLength: 100, description: "The permission that they lack" })),
    reasons: Type.Optional(Type.Array(Code, { maxItems: 50, description: "Codes that the policy gave" })),
  },
});
export const StrangersRefused = eventType({
  type: "access.strangers-refused", summary: "Callers that nobody knows were refused, counted by minute and network", permission,
  data: {
    reason: Type.Enum([...strangerReasons], { description: "What they showed" }),
    minute: Type.String({ format: "date-time", maxLength: 40, description: "The minute" }),
    count: Type.Integer({ minimum: 1, description: "How often" }),
  },
});

import { createHash } from "node:crypto";

/** JSON with sorted keys and without undefined: the same value always gives the same text (as RFC 8785 orders keys). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

export function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** What an approval is bound to: operation, canonical input and plan. Hex. */
export function planHash(operation: string, input: unknown, plan: unknown): string {
  return sha256(canonicalJson({ operation, input, plan })).toString("hex");
}

import type { Config } from "../platform/config.ts";

/** The origin by which people reach the platform: PUBLIC_URL, or the name of this machine to itself, to which passkeys can be bound. */
export function publicUrlOf({ publicUrl, tls, port }: Pick<Config, "publicUrl" | "tls" | "port">): string {
  if (publicUrl !== undefined) return new URL(publicUrl).origin;
  return `${tls === undefined ? "http" : "https"}://localhost:${port}`;
}

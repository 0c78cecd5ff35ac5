import type { Config } from "../platform/config.ts";

/** The origin by which people reach the platform: PUBLIC_URL, or this machine's own address. */
export function publicUrlOf({ publicUrl, tls, port }: Pick<Config, "publicUrl" | "tls" | "port">): string {
  if (publicUrl !== undefined) return new URL(publicUrl).origin;
  return `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
}

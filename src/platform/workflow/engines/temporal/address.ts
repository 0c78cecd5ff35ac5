import { fail, InvalidInput } from "../../../errors.ts";

export interface TemporalAddress {
  /** `host:port`. */
  address: string;
  namespace: string;
  /** `temporals:`, or wherever TLS_CA is set. */
  encrypted: boolean;
}

/** Reads `temporal://host:port/namespace`, or `temporals://` for TLS; the port is 7233 and the namespace `default` where they are left out. Errors: InvalidInput. */
export function temporalAddress(url: string): TemporalAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const wrong = (what: string): never => fail(InvalidInput, `The address of Temporal ${what}. It is temporal://host:port/namespace.`);
  if (parsed === undefined || !["temporal:", "temporals:"].includes(parsed.protocol) || parsed.hostname === "") return wrong("is not one");
  // Not quoted: it would hold the password.
  if (parsed.username !== "" || parsed.password !== "") return wrong("holds a user or a password, which it has no place for");
  if (parsed.search !== "" || parsed.hash !== "") return wrong("has something after the namespace");
  const namespace = decoded(parsed.pathname.slice(1)) ?? wrong("is not one");
  if (namespace.includes("/")) return wrong("has more than one namespace");
  return { address: `${parsed.hostname}:${parsed.port || "7233"}`, namespace: namespace || "default", encrypted: parsed.protocol === "temporals:" };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

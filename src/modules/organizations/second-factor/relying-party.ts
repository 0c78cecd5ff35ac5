import ipaddr from "ipaddr.js";

export interface RelyingParty {
  /** The domain to which passkeys are bound (RP ID, WebAuthn 3, 5.1.2). */
  id: string;
  /** The one origin whose pages may use them. */
  origin: string;
}

/**
 * Who the platform is to an authenticator. An address is no domain, so that there are no passkeys under one; the address
 * of the machine itself has the name localhost.
 */
export function relyingParty(publicUrl: string): RelyingParty | undefined {
  const url = new URL(publicUrl);
  const host = url.hostname.replaceAll(/[[\]]/g, "");
  if (!ipaddr.isValid(host)) return { id: host, origin: url.origin };
  if (ipaddr.process(host).range() !== "loopback") return undefined;
  url.hostname = "localhost";
  return { id: url.hostname, origin: url.origin };
}

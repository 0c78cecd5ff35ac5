import { isIP } from "node:net";
import { errorType, fail } from "../../platform/errors.ts";

export const ForeignName = errorType("foreign-name", 403, "This request does not name this server");

export interface NamedRequest {
  host?: string | undefined;
  origin?: string | undefined;
}

const loopback: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Refuses what a page in a browser sends after its name was bound to this server's address. `names` are the host names
 * of this server, without port; loopback is always among them. An address as Host is let through: DNS, and so
 * rebinding, has no part in it. An Origin has to be one of the names, or the very host that the request is sent to.
 */
export function refuseForeignNames({ host, origin }: NamedRequest, names: readonly string[]): void {
  const known = (name: string): boolean => loopback.includes(name) || names.includes(name);
  const target = host === undefined ? null : URL.parse(`http://${host}`);
  if (target === null || !(known(target.hostname) || isAddress(target.hostname))) refuse("Host", target?.hostname);
  if (origin === undefined) return;
  const source = URL.parse(origin);
  if (source === null || !(known(source.hostname) || source.host === target.host)) refuse("Origin", source?.hostname);
}

function refuse(header: string, name: string | undefined): never {
  const said = name === undefined ? "is missing or cannot be read" : `${name} is not one of its names`;
  fail(ForeignName, `MCP requests must name this server in ${header}: ${said}. Set PUBLIC_URL to the address by which it is reached.`);
}

function isAddress(hostname: string): boolean {
  return isIP(hostname.replace(/^\[(.*)\]$/, "$1")) !== 0;
}

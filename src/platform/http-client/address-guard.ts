import { lookup as systemLookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { DeclaredError, fail } from "../errors.ts";
import { UrlRefused } from "./errors.ts";

export interface Address {
  address: string;
  family: number;
}

export type Resolve = (hostname: string) => Promise<Address[]>;

/** Why an address may not be called for a user, or undefined. */
export type AddressRule = (address: string) => string | undefined;

export const systemResolve: Resolve = (hostname) => systemLookup(hostname, { all: true });

// In public ranges by their number, but answered by the cloud that the platform runs in: Azure's wire server.
const cloudInternal = new Set(["168.63.129.16"]);

/** Only global unicast addresses may be called (IANA special-purpose registries); IPv6 only within 2000::/3, RFC 4291. */
export function publicOnly(address: string): string | undefined {
  if (!ipaddr.isValid(address)) return "is no IP address";
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (range !== "unicast") return `is not public (${range})`;
  if (parsed.kind() === "ipv6" && (parsed.toByteArray()[0] ?? 0) >> 5 !== 1) return "is not public (outside 2000::/3)";
  return cloudInternal.has(parsed.toString()) ? "belongs to the cloud's own services" : undefined;
}

/** As `publicOnly`, but for addresses and networks (10.1.2.0/24) that may be called all the same. */
export function publicOr(allowed: readonly string[]): AddressRule {
  if (allowed.length === 0) return publicOnly;
  const networks = allowed.map((one) => (one.includes("/") ? ipaddr.parseCIDR(one) : ([ipaddr.parse(one), ipaddr.parse(one).kind() === "ipv4" ? 32 : 128] as const)));
  return (address) => {
    const parsed = ipaddr.isValid(address) ? ipaddr.process(address) : undefined;
    const within = parsed !== undefined && networks.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits));
    return within ? undefined : publicOnly(address);
  };
}

/**
 * The URL, checked: http or https and without credentials; for a user's URL its address, too, where the host is one
 * (a name is checked when it is looked up). Errors: UrlRefused, which never quotes more of the URL than its host.
 */
export function checkUrl(text: string, rule: AddressRule | undefined, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) fail(UrlRefused, "This is no URL. Give one that begins with https:// or http://.");
  if (url.protocol !== "https:" && url.protocol !== "http:") fail(UrlRefused, `URLs with ${url.protocol} are not called. Give one that begins with https:// or http://.`);
  if (url.username !== "" || url.password !== "") fail(UrlRefused, `The URL of ${url.host} holds a name or password. Leave it out and set the credentials where the connection is configured.`);
  const literal = url.hostname.replace(/^\[|\]$/g, "");
  if (rule !== undefined && ipaddr.isValid(literal)) refuseWhere([literal], url.host, rule);
  return url;
}

/** A lookup for sockets: the socket connects to exactly the addresses that were checked, so a second DNS answer changes nothing. */
export function guardedLookup(resolve: Resolve, rule: AddressRule): LookupFunction {
  return (hostname, options, callback) => {
    const answer = async () => {
      const all = await resolve(hostname);
      refuseWhere(all.map((found) => found.address), hostname, rule);
      return all.filter((found) => options.family === undefined || options.family === 0 || options.family === found.family || options.family === `IPv${found.family}`);
    };
    answer().then(
      (found) => {
        const [first] = found;
        if (first === undefined) return callback(Object.assign(new Error("no address"), { code: "ENOTFOUND" }), []);
        return options.all === true ? callback(null, found) : callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

/** One bad address is enough: which of them a socket would take is not ours to choose. */
function refuseWhere(addresses: string[], host: string, rule: AddressRule): void {
  for (const address of addresses) {
    const reason = rule(address);
    if (reason === undefined) continue;
    // The address stays unsaid: it would tell a user what names resolve to inside.
    throw new DeclaredError(UrlRefused, `An address of ${host} ${reason}. URLs that users give may reach public addresses only, and those that the platform's administrator names in NOTIFY_PRIVATE.`);
  }
}

import ipaddr from "ipaddr.js";

export interface Resolved {
  address: string;
}

export type Resolve = (name: string) => Promise<readonly Resolved[]>;

/** Why a host is not tried; `code` is a code of failed hosts. */
export class AddressRefused extends Error {
  readonly code: "host-unknown" | "address-refused";
  constructor(code: AddressRefused["code"], message: string) {
    super(message);
    this.name = "AddressRefused";
    this.code = code;
  }
}

/** Names of assets may hold what no ssh could call. */
export function isNameOrAddress(text: string): boolean {
  return !/[@:]/.test(text) || ipaddr.isValid(text);
}

/** Clouds answer there for the machine that asks, beside 169.254.0.0/16: AWS by IPv6, Azure, Oracle, Alibaba. */
const ofTheCloud: ReadonlySet<string> = new Set(["fd00:ec2::254", "168.63.129.16", "192.0.0.192", "100.100.100.200"]);

/** Where customers' hosts stand; all else is the server itself, its link, or no host at all. */
const ofHosts: ReadonlySet<string> = new Set(["unicast", "private", "uniqueLocal", "carrierGradeNat"]);

/**
 * The address that ssh(1) connects to. A name is resolved here, once, so that what was checked is what is called. With
 * `local` everything is allowed. Errors: AddressRefused.
 */
export async function addressToCall(name: string, { resolve, local }: { resolve: Resolve; local: boolean }): Promise<string> {
  const found = ipaddr.isValid(name) ? [name] : (await resolve(name).catch(() => [])).map(({ address }) => address);
  const [first] = found;
  if (first === undefined) throw new AddressRefused("host-unknown", `The name ${name} does not resolve.`);
  if (!local && found.some(isLocal)) {
    throw new AddressRefused("address-refused", `${name} is an address of the server itself, of its link or of its cloud's own services, or none of a host; SCAN_LOCAL_ADDRESSES=allow lets them be scanned.`);
  }
  return first;
}

function isLocal(address: string): boolean {
  const parsed = ipaddr.process(address);
  return !ofHosts.has(parsed.range()) || ofTheCloud.has(parsed.toString());
}

import { Type, type Static } from "typebox";
import { toTypeId, TypeId } from "../../platform/ids.ts";
import { AssetId, AssetName, SiteId, SiteName } from "./schemas.ts";
import { failureCodes } from "./sites/failures.ts";
import { hostKeyPattern } from "./sites/known-hosts.ts";

export const mostHosts = 10_000;

const Time = Type.String({ format: "date-time" });
const Port = (description: string) => Type.Integer({ minimum: 1, maximum: 65_535, description });

/** What of a site says how its hosts are reached. */
export const accessFields = {
  user: Type.String({ pattern: "^[A-Za-z0-9_.][A-Za-z0-9_.@+$-]{0,127}$", description: "Account on the hosts; it needs no more than to read", examples: ["qinfra"] }),
  port: Port("Port of sshd, for hosts that have none of their own"),
  knownHosts: Type.String({ maxLength: 65_536, description: "Lines of known_hosts(5), for example of the authority that signs host keys: @cert-authority *.example.org ssh-ed25519 AAAA..." }),
  trustOnFirstUse: Type.Boolean({ description: "Take and record the key of a host that has none yet; false: a host whose key is not known is not scanned" }),
};

export const Site = Type.Object({
  id: SiteId,
  name: SiteName,
  assets: Type.Integer({ description: "Number of assets at the site" }),
  hosts: Type.Integer({ description: "Number of hosts that a scan of it collects" }),
  failed: Type.Integer({ description: "Of them, those whose last scan failed" }),
  user: Type.Union([accessFields.user, Type.Null()], { description: "Account on the hosts; null: not set yet" }),
  port: accessFields.port,
  keyFingerprint: Type.Union([Type.String(), Type.Null()], { description: "Of the private key, which itself is never shown; null: not set yet" }),
  trustOnFirstUse: accessFields.trustOnFirstUse,
  createdAt: Time,
}, { description: "Where assets stand, and how their hosts are reached" });
export type Site = Static<typeof Site>;

export const SiteWithKnownHosts = Type.Object({ ...Site.properties, knownHosts: accessFields.knownHosts });

const hostFields = {
  name: AssetName,
  address: Type.String({ pattern: "^([A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|[0-9A-Fa-f:.]{2,45})$", description: "Name or address; the host's name unless given", examples: ["10.0.4.17"] }),
  port: Port("Port of sshd, where it is not the site's"),
  hostKey: Type.String({ pattern: hostKeyPattern, maxLength: 8_192, description: "Type and key, as ssh-keyscan shows them after the name", examples: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPGpQtc6dhKsOFHJBLV9qYFlS0jOPiKWqTVYAqYGLvLG"] }),
};

export const HostInput = Type.Object({
  name: hostFields.name, address: Type.Optional(hostFields.address), port: Type.Optional(hostFields.port), hostKey: Type.Optional(hostFields.hostKey),
}, { additionalProperties: false, description: "A host and, where it is no other, the name of its asset" });
export type HostInput = Static<typeof HostInput>;

export const FailureCode = Type.Enum([...failureCodes], { description: "Why a host could not be scanned" });

export const SiteHost = Type.Object({
  id: TypeId("hst", "Id of a host of a site"),
  name: hostFields.name,
  address: hostFields.address,
  port: Type.Union([hostFields.port, Type.Null()]),
  hostKey: Type.Union([hostFields.hostKey, Type.Null()], { description: "null: the site's known hosts have it, or nobody knows it yet" }),
  asset: Type.Union([AssetId, Type.Null()], { description: "What was recorded; null before its first scan" }),
  triedAt: Type.Union([Time, Type.Null()], { description: "When a scan tried it last" }),
  run: Type.Union([TypeId("run", "Run of that scan"), Type.Null()]),
  failure: Type.Union([Type.Object({ code: FailureCode, reason: Type.String({ description: "What happened, and what to do" }) }), Type.Null()], { description: "Why that scan could not collect it" }),
});
export type SiteHost = Static<typeof SiteHost>;

export const scanFields = {
  waveSize: Type.Integer({ minimum: 1, maximum: 50, description: "Hosts that are collected at once" }),
  failureLimit: Type.Integer({ minimum: 0, maximum: 50, description: "The scan ends with the wave in which more hosts than this fail; without it, it goes through them all" }),
};

export function hostTypeId(id: string): string {
  return toTypeId("hst", id);
}

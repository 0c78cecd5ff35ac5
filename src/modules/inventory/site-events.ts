import { Type } from "typebox";
import { eventType } from "../../platform/events/declare.ts";
import { SiteId } from "./schemas.ts";
import { FailureCode } from "./site-schemas.ts";

const permission = "assets:read";
const Hosts = Type.Integer({ description: "Number of hosts" });

export const SiteUpdated = eventType({ type: "inventory.site-updated", summary: "How the hosts of a site are reached was changed", permission, data: {} });
export const SiteKeySet = eventType({ type: "inventory.site-key-set", summary: "A site was given a private key", permission, data: {} });
export const SiteDeleted = eventType({ type: "inventory.site-deleted", summary: "A site and its list of hosts were deleted", permission, data: {} });
export const SiteHostsAdded = eventType({ type: "inventory.site-hosts-added", summary: "Hosts of a site were added or changed", permission, data: { hosts: Hosts } });
export const SiteHostsRemoved = eventType({ type: "inventory.site-hosts-removed", summary: "Hosts of a site were removed", permission, data: { hosts: Hosts } });
export const HostKeyTrusted = eventType({ type: "inventory.host-key-trusted", summary: "The key of a host was taken on first use", permission, data: { site: SiteId } });
export const HostNotScanned = eventType({
  type: "inventory.host-not-scanned", summary: "A scan of a site could not collect a host", permission, data: { site: SiteId, code: FailureCode },
});

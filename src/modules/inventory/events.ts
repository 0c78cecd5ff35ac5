import { Type } from "typebox";
import { eventType } from "../../platform/events/declare.ts";
import { AssetSource, Criticality, Exposure, Kind, SiteId } from "./schemas.ts";

const permission = "assets:read";

export const SiteCreated = eventType({ type: "inventory.site-created", summary: "A site was made", permission, data: {} });
export const AssetRecorded = eventType({ type: "inventory.asset-recorded", summary: "An asset was scanned", permission, data: { source: AssetSource } });
export const AssetUpdated = eventType({
  type: "inventory.asset-updated", summary: "People set something of an asset; its tags may be among it", permission,
  data: {
    kind: Type.Optional(Kind), criticality: Type.Optional(Criticality), exposure: Type.Optional(Exposure),
    site: Type.Optional(Type.Union([SiteId, Type.Null()], { description: "Its site; null: in no site any more" })),
  },
});
export const AssetDeleted = eventType({ type: "inventory.asset-deleted", summary: "An asset was deleted", permission, data: {} });

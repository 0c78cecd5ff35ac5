/** What this module appends. `software.recorded` is shared with images: its data is {kind, componentSet}. */
export const events = {
  siteCreated: "inventory.site-created",
  assetRecorded: "inventory.asset-recorded",
  assetUpdated: "inventory.asset-updated",
  assetDeleted: "inventory.asset-deleted",
  softwareRecorded: "software.recorded",
} as const;

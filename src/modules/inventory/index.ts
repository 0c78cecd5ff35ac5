import type { Module } from "../../platform/operation/index.ts";
import * as events from "./events.ts";
import { deleteAsset } from "./operations/delete-asset.ts";
import { getAsset } from "./operations/get-asset.ts";
import { listAssets } from "./operations/list-assets.ts";
import { recordScan } from "./operations/record-scan.ts";
import { scanSite } from "./operations/scan-site.ts";
import { setSiteKey } from "./operations/set-site-key.ts";
import { addSiteHosts, listSiteHosts, removeSiteHosts } from "./operations/site-hosts.ts";
import { createSite, deleteSite, getSite, listSites, updateSite } from "./operations/sites.ts";
import { updateAsset } from "./operations/update-asset.ts";
import * as siteEvents from "./site-events.ts";
import { inventorySteps } from "./steps/scan-site.ts";
import { inventoryWorkflows } from "./workflows/scan-site.ts";

export const inventory: Module = {
  name: "inventory",
  events: [...Object.values(events), ...Object.values(siteEvents)],
  operations: [recordScan, listAssets, getAsset, updateAsset, deleteAsset, listSites, getSite, createSite, updateSite, deleteSite, setSiteKey, addSiteHosts, listSiteHosts, removeSiteHosts, scanSite],
  workflows: inventoryWorkflows,
  steps: inventorySteps,
};

export { assetById, componentSetsOfAssets } from "./views.ts";
export { AssetId } from "./schemas.ts";
export { sealedColumns } from "./site-store.ts";
export { AssetNotFound } from "./errors.ts";

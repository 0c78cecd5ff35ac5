import type { Module } from "../../platform/operation/index.ts";
import * as events from "./events.ts";
import { deleteAsset } from "./operations/delete-asset.ts";
import { getAsset } from "./operations/get-asset.ts";
import { listAssets } from "./operations/list-assets.ts";
import { recordScan } from "./operations/record-scan.ts";
import { createSite, listSites } from "./operations/sites.ts";
import { updateAsset } from "./operations/update-asset.ts";

export const inventory: Module = {
  name: "inventory",
  events: Object.values(events),
  operations: [recordScan, listAssets, getAsset, updateAsset, deleteAsset, listSites, createSite],
};

export { assetById, componentSetsOfAssets } from "./views.ts";
export { AssetId } from "./schemas.ts";
export { AssetNotFound } from "./errors.ts";

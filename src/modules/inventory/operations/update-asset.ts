import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import type { Db } from "../../../platform/database/database.ts";
import { fail } from "../../../platform/errors.ts";
import { toTypeId, uuidOf } from "../../../platform/ids.ts";
import { operation, TagsInput } from "../../../platform/operation/index.ts";
import { Asset, AssetId, Criticality, Exposure, Kind, SiteName } from "../schemas.ts";
import { AssetNotFound, SiteNotFound } from "../errors.ts";
import { AssetUpdated } from "../events.ts";
import { replaceAssetTags, updateAsset as update } from "../store.ts";
import { assetById, siteIdByName } from "../views.ts";

export const updateAsset = operation({
  id: "inventory.update-asset",
  http: "PATCH /api/v1/assets/{id}",
  cli: { name: "assets update", positional: ["id"] },
  summary: "Set what people know of an asset: kind, site, criticality, exposure, tags",
  permission: "assets:write",
  effect: "change",
  input: Type.Object({
    id: AssetId,
    kind: Type.Optional(Kind),
    site: Type.Optional(Type.Union([SiteName, Type.Null()], { description: "Name of the site; null takes the asset out of its site" })),
    criticality: Type.Optional(Criticality),
    exposure: Type.Optional(Exposure),
    tags: Type.Optional(TagsInput),
  }),
  output: Asset,
  errors: [AssetNotFound, SiteNotFound],
  examples: [{ input: { id: "ast_01jd0000000000000000000000", criticality: "high", tags: { team: "web" } } }],
  async handle({ db, orgId, clock, events: log }, { id, site, tags, ...changes }) {
    const uuid = uuidOf("ast", id);
    const siteId = site === undefined || site === null ? site : await knownSite(db, site);
    const found = await update(db, uuid, { ...changes, ...(siteId === undefined ? {} : { siteId }) }, timestamp(clock));
    if (!found) fail(AssetNotFound, `There is no asset ${id} in this organization.`);
    if (tags !== undefined) await replaceAssetTags(db, orgId, uuid, tags);
    const asset = await assetById(db, uuid);
    if (asset === undefined) throw new Error("the asset that was just changed is not there");
    await log.append({ type: AssetUpdated, subject: id, data: { ...changes, ...(siteId === undefined ? {} : { site: siteId === null ? null : toTypeId("sit", siteId) }) } });
    const { componentSetId: _, ...shown } = asset;
    return shown;
  },
});

async function knownSite(db: Db, name: string): Promise<string> {
  const id = await siteIdByName(db, name);
  if (id === undefined) fail(SiteNotFound, `There is no site ${name}; make it with qinfra sites create.`);
  return id;
}

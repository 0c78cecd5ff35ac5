import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { operation } from "../../../platform/operation/index.ts";
import { AssetId } from "../schemas.ts";
import { AssetNotFound } from "../errors.ts";
import { AssetDeleted } from "../events.ts";
import { deleteAsset as remove } from "../store.ts";
import { assetById } from "../views.ts";

export const deleteAsset = operation({
  id: "inventory.delete-asset",
  http: "DELETE /api/v1/assets/{id}",
  cli: { name: "assets delete", positional: ["id"] },
  summary: "Delete an asset",
  description: "The asset's record goes; events about it stay. An AI actor needs an approval for this.",
  permission: "assets:delete",
  effect: "destructive",
  input: Type.Object({ id: AssetId }),
  output: Type.Object({ deleted: AssetId }),
  errors: [AssetNotFound],
  examples: [{ input: { id: "ast_01jd0000000000000000000000" } }],
  async prepare({ transaction }, { id }) {
    const asset = await transaction((db) => assetById(db, uuidOf("ast", id)));
    if (asset === undefined) fail(AssetNotFound, `There is no asset ${id} in this organization.`);
    return asset;
  },
  // Its tag says what it is for, which policies ask about.
  plan: (asset) => ({ delete: asset.id, name: asset.name, ...(asset.tags["environment"] === undefined ? {} : { environment: asset.tags["environment"] }) }),
  async handle({ db, events: log, quotas }, { id }) {
    if (!(await remove(db, uuidOf("ast", id)))) fail(AssetNotFound, `There is no asset ${id} in this organization.`);
    await quotas.give("assets", 1);
    await log.append({ type: AssetDeleted, subject: id, data: {} });
    return { deleted: id };
  },
});

import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { operation } from "../../../platform/operation/index.ts";
import { Asset, AssetId } from "../schemas.ts";
import { AssetNotFound } from "../errors.ts";
import { assetById } from "../views.ts";

export const getAsset = operation({
  id: "inventory.get-asset",
  http: "GET /api/v1/assets/{id}",
  cli: { name: "assets get", positional: ["id"] },
  summary: "Show an asset with its facts",
  permission: "assets:read",
  effect: "read",
  input: Type.Object({ id: AssetId }),
  output: Asset,
  errors: [AssetNotFound],
  examples: [{ input: { id: "ast_01jd0000000000000000000000" } }],
  async handle({ db }, { id }) {
    const asset = await assetById(db, uuidOf("ast", id));
    if (asset === undefined) fail(AssetNotFound, `There is no asset ${id} in this organization; qinfra assets list shows what there is.`);
    const { componentSetId: _, ...shown } = asset;
    return shown;
  },
});

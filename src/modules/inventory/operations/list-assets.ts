import { Type } from "typebox";
import { anyKey, fromCursor, operation, Page, pageOf, paging, parseTag, TagFilter } from "../../../platform/operation/index.ts";
import { Asset, Criticality, Exposure, SiteName } from "../schemas.ts";
import { listAssets as readAssets } from "../views.ts";

export const listAssets = operation({
  id: "inventory.list-assets",
  http: "GET /api/v1/assets",
  cli: { name: "assets list", columns: ["id", "name", "kind", "os.name", "packages", "criticality", "exposure", "scannedAt"] },
  summary: "List assets by name",
  permission: "assets:read",
  effect: "read",
  replica: true,
  input: Type.Object({
    site: Type.Optional(SiteName),
    tag: TagFilter,
    criticality: Type.Optional(Criticality),
    exposure: Type.Optional(Exposure),
    ...paging,
  }),
  output: Page(Asset),
  examples: [{ input: {} }, { summary: "What the internet can reach", input: { exposure: "internet" } }],
  async handle({ db }, { tag, cursor, limit = 100, ...filter }) {
    const after = fromCursor(cursor, anyKey);
    const assets = await readAssets(db, {
      ...filter, limit: limit + 1,
      ...(tag === undefined ? {} : { tag: parseTag(tag) }),
      ...(after === undefined ? {} : { after }),
    });
    return pageOf(assets, limit, (asset) => asset.name);
  },
});

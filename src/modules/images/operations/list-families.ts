import { Type } from "typebox";
import { anyKey, fromCursor, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { listFamilies as readFamilies } from "../views.ts";

const Family = Type.Object({
  name: Type.String(),
  images: Type.Integer({ description: "Number of versions" }),
  latest: Type.Union([Type.String(), Type.Null()], { description: "The version that was registered last" }),
});

export const listFamilies = operation({
  id: "images.list-families",
  http: "GET /api/v1/images/families",
  cli: { name: "images families", columns: ["name", "images", "latest"] },
  summary: "List the families of golden images",
  permission: "images:read",
  effect: "read",
  replica: true,
  input: Type.Object(paging),
  output: Page(Family),
  examples: [{ input: {} }],
  async handle({ db }, { cursor, limit = 100 }) {
    const after = fromCursor(cursor, anyKey);
    const families = await readFamilies(db, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
    return pageOf(families, limit, (family) => family.name);
  },
});

import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { fromCursor, numberKey, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { ImageId } from "../schemas.ts";
import { ImageNotFound } from "../errors.ts";
import { imageById, listComponents as readComponents, type ImageComponent } from "../views.ts";

const Component = Type.Object({
  name: Type.String(),
  version: Type.Optional(Type.String()),
  purl: Type.Optional(Type.String({ description: "Package URL" })),
});

export const listComponents = operation({
  id: "images.list-components",
  http: "GET /api/v1/images/{id}/components",
  cli: { name: "images components", positional: ["id"], columns: ["name", "version", "purl"] },
  summary: "List what a golden image holds",
  permission: "images:read",
  effect: "read",
  replica: true,
  input: Type.Object({ id: ImageId, ...paging }),
  output: Page(Component),
  errors: [ImageNotFound],
  examples: [{ input: { id: "img_01jd0000000000000000000000" } }],
  async handle({ db }, { id, cursor, limit = 100 }) {
    const uuid = uuidOf("img", id);
    const after = fromCursor(cursor, numberKey);
    if ((await imageById(db, uuid)) === undefined) fail(ImageNotFound, `There is no image ${id} in this organization.`);
    const rows = await readComponents(db, uuid, { limit: limit + 1, ...(after === undefined ? {} : { after: Number(after) }) });
    const page = pageOf(rows, limit, (row) => String(row.packageId));
    return { ...page, items: page.items.map(withoutId) };
  },
});

/** The dictionary's id is the key of the page and nobody's business outside. */
function withoutId(row: ImageComponent): Omit<ImageComponent, "packageId"> {
  const { packageId: _, ...component } = row;
  return component;
}

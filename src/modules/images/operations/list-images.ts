import { Type } from "typebox";
import { uuidOf } from "../../../platform/ids.ts";
import { fromCursor, operation, Page, pageOf, paging, parseTag, TagFilter } from "../../../platform/operation/index.ts";
import { FamilyName, GoldenImage } from "../schemas.ts";
import { listImages as readImages } from "../views.ts";

export const listImages = operation({
  id: "images.list",
  http: "GET /api/v1/images",
  cli: { name: "images list", columns: ["id", "family", "version", "os.name", "packages", "createdAt"] },
  summary: "List golden images, newest first",
  permission: "images:read",
  effect: "read",
  replica: true,
  input: Type.Object({
    family: Type.Optional(FamilyName),
    tag: TagFilter,
    ...paging,
  }),
  output: Page(GoldenImage),
  examples: [{ input: {} }, { summary: "The versions of one family", input: { family: "debian-server", limit: 10 } }],
  async handle({ db }, { family, tag, cursor, limit = 100 }) {
    const after = fromCursor(cursor, /^img_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
    const images = await readImages(db, {
      limit: limit + 1,
      ...(family === undefined ? {} : { family }),
      ...(tag === undefined ? {} : { tag: parseTag(tag) }),
      ...(after === undefined ? {} : { after: uuidOf("img", after) }),
    });
    return pageOf(images, limit, (image) => image.id);
  },
});

import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { operation } from "../../../platform/operation/index.ts";
import { GoldenImage, ImageId } from "../schemas.ts";
import { ImageNotFound } from "../errors.ts";
import { imageById } from "../views.ts";

export const getImage = operation({
  id: "images.get",
  http: "GET /api/v1/images/{id}",
  cli: { name: "images get", positional: ["id"] },
  summary: "Show a golden image",
  permission: "images:read",
  effect: "read",
  cache: { key: ({ id }) => `image:${id}`, subjects: ({ id }) => [id], seconds: 3600 },
  input: Type.Object({ id: ImageId }),
  output: GoldenImage,
  errors: [ImageNotFound],
  examples: [{ input: { id: "img_01jd0000000000000000000000" } }],
  async handle({ db }, { id }) {
    const image = await imageById(db, uuidOf("img", id));
    if (image === undefined) fail(ImageNotFound, `There is no image ${id} in this organization; qinfra images list shows what there is.`);
    const { componentSetId: _, ...shown } = image;
    return shown;
  },
});

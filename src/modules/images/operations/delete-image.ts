import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { operation } from "../../../platform/operation/index.ts";
import { ImageId } from "../schemas.ts";
import { ImageNotFound } from "../errors.ts";
import { ImageDeleted } from "../events.ts";
import { deleteImage as remove } from "../store.ts";
import { imageById } from "../views.ts";

export const deleteImage = operation({
  id: "images.delete",
  http: "DELETE /api/v1/images/{id}",
  cli: { name: "images delete", positional: ["id"] },
  summary: "Delete a golden image",
  description: "The image's record goes; events about it stay. An AI actor needs an approval for this.",
  permission: "images:delete",
  effect: "destructive",
  input: Type.Object({ id: ImageId }),
  output: Type.Object({ deleted: ImageId }),
  errors: [ImageNotFound],
  examples: [{ input: { id: "img_01jd0000000000000000000000" } }],
  async prepare({ transaction }, { id }) {
    const image = await transaction((db) => imageById(db, uuidOf("img", id)));
    if (image === undefined) fail(ImageNotFound, `There is no image ${id} in this organization.`);
    return image;
  },
  plan: (image) => ({ delete: image.id, family: image.family, version: image.version }),
  async handle({ db, events: log, quotas }, { id }) {
    if (!(await remove(db, uuidOf("img", id)))) fail(ImageNotFound, `There is no image ${id} in this organization.`);
    await quotas.give("images", 1);
    await log.append({ type: ImageDeleted, subject: id, data: {} });
    return { deleted: id };
  },
});

import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { operation, TagsInput, TagsOutput } from "../../../platform/operation/index.ts";
import { ImageId } from "../schemas.ts";
import { ImageNotFound } from "../errors.ts";
import { ImageTagged } from "../events.ts";
import { replaceTags } from "../store.ts";
import { imageById } from "../views.ts";

export const setTags = operation({
  id: "images.set-tags",
  http: "PUT /api/v1/images/{id}/tags",
  cli: { name: "images tag", positional: ["id"] },
  summary: "Replace the tags of a golden image",
  permission: "images:build",
  effect: "change",
  input: Type.Object({ id: ImageId, tags: TagsInput }),
  output: Type.Object({ tags: TagsOutput }),
  errors: [ImageNotFound],
  examples: [{ input: { id: "img_01jd0000000000000000000000", tags: { team: "platform" } } }],
  async handle({ db, orgId, events: log }, { id, tags }) {
    const uuid = uuidOf("img", id);
    if ((await imageById(db, uuid)) === undefined) fail(ImageNotFound, `There is no image ${id} in this organization.`);
    await replaceTags(db, orgId, uuid, tags);
    await log.append({ type: ImageTagged, subject: id, data: { count: Object.keys(tags).length } });
    return { tags };
  },
});

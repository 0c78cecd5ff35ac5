import type { Module } from "../../platform/operation/index.ts";
import * as events from "./events.ts";
import { deleteImage } from "./operations/delete-image.ts";
import { getImage } from "./operations/get-image.ts";
import { listComponents } from "./operations/list-components.ts";
import { listFamilies } from "./operations/list-families.ts";
import { listImages } from "./operations/list-images.ts";
import { registerImage } from "./operations/register-image.ts";
import { setTags } from "./operations/set-tags.ts";

export const images: Module = {
  name: "images",
  events: Object.values(events),
  operations: [registerImage, listImages, getImage, listComponents, listFamilies, setTags, deleteImage],
  subscriptions: ({ metrics }) => [{ id: "images.count", on: [events.ImageRegistered.type], handle: async () => metrics.imagesRegistered.inc() }],
};

export { componentSetsOfImages, imageById } from "./views.ts";
export { ImageId } from "./schemas.ts";
export { ImageNotFound } from "./errors.ts";

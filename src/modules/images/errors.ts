import { errorType } from "../../platform/errors.ts";

export const ImageNotFound = errorType("image-not-found", 404, "There is no such image");
export const ImageVersionTaken = errorType("image-version-taken", 409, "This version of the family is registered already");

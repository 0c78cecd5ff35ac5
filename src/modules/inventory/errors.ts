import { errorType } from "../../platform/errors.ts";

export const AssetNotFound = errorType("asset-not-found", 404, "There is no such asset");
export const SiteNotFound = errorType("site-not-found", 404, "There is no such site");
export const SiteNameTaken = errorType("site-name-taken", 409, "There is a site of this name already");

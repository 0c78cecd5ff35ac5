import { errorType } from "../../platform/errors.ts";

export const AssetNotFound = errorType("asset-not-found", 404, "There is no such asset");
export const SiteNotFound = errorType("site-not-found", 404, "There is no such site");
export const SiteNameTaken = errorType("site-name-taken", 409, "There is a site of this name already");
export const SiteLimit = errorType("site-limit", 409, "The organization has as many sites as it may have");
export const SiteIncomplete = errorType("site-incomplete", 409, "The site does not say yet how its hosts are reached");
export const SiteFull = errorType("site-full", 409, "The site has as many hosts as a site can have");
export const HostElsewhere = errorType("host-elsewhere", 409, "A host of this name is at another site");
export const SshMissing = errorType("ssh-missing", 503, "The server has no ssh program");

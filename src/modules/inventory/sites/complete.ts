import { fail } from "../../../platform/errors.ts";
import { SiteIncomplete } from "../errors.ts";

/** Whether the hosts of a site can be reached. Errors: SiteIncomplete. */
export function checkComplete(site: { id: string; name: string; user: string | null; keyFingerprint: string | null }): void {
  if (site.user === null) fail(SiteIncomplete, `The site ${site.name} does not say as whom to sign in to its hosts; qinfra sites update ${site.id} --user NAME.`);
  if (site.keyFingerprint === null) fail(SiteIncomplete, `The site ${site.name} has no private key; qinfra sites set-key ${site.id} --file FILE.`);
}

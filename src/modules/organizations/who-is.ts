import type { Actor } from "../../platform/actor.ts";
import type { Db } from "../../platform/database/database.ts";
import { memberOf, organizationById } from "./views.ts";

/** Names of the person who acts and of the organization that they work in; undefined for nobody, and for who is no member any longer. */
export async function whoIs(db: Db, { userId, orgId }: Actor): Promise<{ user: string; organization: string } | undefined> {
  if (userId === undefined || orgId === undefined) return undefined;
  const member = await memberOf(db, orgId, userId);
  const organization = await organizationById(db, orgId);
  return member && organization && { user: member.display_name, organization: organization.name };
}

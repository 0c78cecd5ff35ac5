import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { Conflict, fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { closeOrganization, insertDeletion } from "../deletion-store.ts";
import { NotConfirmed, OrganizationNotFound, PersonNeeded, PlatformOrganizationStays } from "../errors.ts";
import { OrganizationDeleted } from "../events.ts";
import { OrganizationId, orgUuid } from "../ids.ts";
import { Slug, Time } from "../schemas.ts";
import { organizationById, platformOrganization } from "../views.ts";

const dayMs = 86_400_000;

export const deleteOrganization = operation({
  id: "organizations.delete",
  http: "DELETE /api/v1/organizations/{id}",
  cli: { name: "organizations delete", positional: ["id"] },
  summary: "Delete the organization that you work in, with everything in it",
  description: "From now on everything in it is refused. Until the answered time an administrator of the platform can restore it; then its keys are destroyed and everything of it is erased, people who are members of nothing else included.",
  permission: "organizations:delete",
  effect: "destructive",
  confirm: "second-factor",
  database: "system",
  without: { mcp: "a person confirms it with a second factor" },
  input: Type.Object({
    id: OrganizationId,
    slug: Type.String({ ...Slug, description: "The organization's short name once more, so that it is the right one" }),
  }),
  output: Type.Object({ deleted: OrganizationId, restorableUntil: Time }),
  errors: [OrganizationNotFound, NotConfirmed, PlatformOrganizationStays, PersonNeeded],
  examples: [{ input: { id: "org_01jd0000000000000000000000", slug: "example" } }],
  prepare: async ({ settings }) => ({ graceDays: settings.deletionGraceDays }),
  plan: ({ graceDays }, { id }) => ({ delete: id, graceDays }),
  async handle({ db, actor, orgId, clock, events }, input, { graceDays }) {
    const by = personOf(actor);
    const org = orgUuid(input.id) === orgId ? await organizationById(db, orgId) : undefined;
    if (org === undefined) fail(OrganizationNotFound, `${input.id} is not the organization that you work in.`);
    if (org.is_platform) fail(PlatformOrganizationStays, "This organization runs the platform; it cannot be deleted.");
    if (input.slug !== org.slug) fail(NotConfirmed, `The short name of ${input.id} is not ${input.slug}; give the right one to confirm that you mean this organization.`);
    const at = timestamp(clock);
    const dueAt = new Date(clock.now() + graceDays * dayMs).toISOString();
    if (!(await closeOrganization(db, { orgId, at, dueAt }))) fail(Conflict, "Somebody else deleted the organization at the same time.");
    await insertDeletion(db, { orgId, slug: org.slug, by, at, dueAt });
    const platform = await platformOrganization(db);
    for (const chain of [orgId, platform?.id]) {
      if (chain !== undefined) await events.append({ type: OrganizationDeleted, subject: input.id, orgId: chain, data: { organization: input.id, dueAt } });
    }
    return { deleted: input.id, restorableUntil: dueAt };
  },
});

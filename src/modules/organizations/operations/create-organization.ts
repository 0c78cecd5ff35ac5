import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { eventOf, userOf } from "../caller.ts";
import { SlugTaken } from "../errors.ts";
import { MemberAdded, OrganizationCreated } from "../events.ts";
import { orgTypeId, userTypeId } from "../ids.ts";
import { OneLine, Organization } from "../schemas.ts";
import { insertMembership, insertOrganization } from "../store.ts";

export const createOrganization = operation({
  id: "organizations.create",
  http: "POST /api/v1/organizations",
  cli: { name: "organizations create", positional: ["name"] },
  summary: "Create an organization, of which you become the administrator",
  permission: "platform:organizations",
  effect: "change",
  database: "system",
  input: Type.Object({
    name: OneLine,
    slug: Type.String({ pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", description: "Short name for addresses, as a DNS label" }),
  }),
  output: Organization,
  errors: [SlugTaken],
  creates: true,
  examples: [{ input: { name: "Example Ltd", slug: "example" } }],
  async handle(context, input) {
    const userId = userOf(context.actor);
    const id = context.ids.uuid();
    const at = timestamp(context.clock);
    const made = await insertOrganization(context.db, { id, name: input.name, slug: input.slug, platform: false, at });
    if (!made) fail(SlugTaken, `Another organization has the slug ${input.slug}; choose another.`);
    await insertMembership(context.db, { orgId: id, userId, role: "admin", at });
    // The platform's log says who made it; the log of the new organization begins with its first member.
    await context.events.append({ type: OrganizationCreated, subject: orgTypeId(id), data: { platform: false } });
    await context.events.append(eventOf(id, { type: MemberAdded, subject: userTypeId(userId), data: { organization: orgTypeId(id), role: "admin", created: false } }));
    return { id: orgTypeId(id), name: input.name, slug: input.slug, platform: false, createdAt: at };
  },
});

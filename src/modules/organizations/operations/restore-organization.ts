import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { eventOf } from "../caller.ts";
import { reopenOrganization } from "../deletion-store.ts";
import { deletionOf } from "../deletion-views.ts";
import { DeletionNotFound, NotRestorable } from "../errors.ts";
import { OrganizationRestored } from "../events.ts";
import { OrganizationId, orgUuid } from "../ids.ts";

export const restoreOrganization = operation({
  id: "organizations.restore",
  http: "POST /api/v1/organizations/{id}/restore",
  cli: { name: "organizations restore", positional: ["id"] },
  summary: "Restore an organization that was deleted, while its time is not over",
  description: "Everything works again as before: members, keys and sessions that have not ended meanwhile.",
  permission: "platform:organizations",
  effect: "change",
  database: "system",
  input: Type.Object({ id: OrganizationId }),
  output: Type.Object({ restored: OrganizationId }),
  errors: [DeletionNotFound, NotRestorable],
  examples: [{ input: { id: "org_01jd0000000000000000000000" } }],
  async handle({ db, clock, events }, input) {
    const id = orgUuid(input.id);
    const deletion = await deletionOf(db, id);
    if (deletion === undefined || deletion.state === "restored") fail(DeletionNotFound, `${input.id} is not being deleted; qinfra organizations deletions shows which are.`);
    if (!(await reopenOrganization(db, id, timestamp(clock)))) {
      fail(NotRestorable, `The time of ${input.id} was over at ${deletion.due_at.toISOString()}; what is erased does not come back.`);
    }
    const event = { type: OrganizationRestored, subject: input.id, data: { organization: input.id } };
    await events.append(event);
    await events.append(eventOf(id, event));
    return { restored: input.id };
  },
});

import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { ServiceAccountNotFound } from "../errors.ts";
import { ServiceAccountDisabled } from "../events.ts";
import { orgTypeId, UserId, userUuid } from "../ids.ts";
import { ServiceAccount } from "../schemas.ts";
import { disableServiceAccount as disable } from "../service-account-store.ts";
import { showServiceAccount } from "../shown.ts";
import { memberOf } from "../views.ts";

export const disableServiceAccount = operation({
  id: "service-accounts.disable",
  http: "DELETE /api/v1/service-accounts/{id}",
  cli: { name: "service-accounts disable", positional: ["id"] },
  summary: "Disable a service account for good; its API keys are revoked",
  permission: "members:write",
  effect: "destructive",
  database: "system",
  input: Type.Object({ id: UserId }),
  output: ServiceAccount,
  errors: [ServiceAccountNotFound],
  examples: [{ input: { id: "usr_01jd0000000000000000000000" } }],
  async handle(context, input) {
    const { db, orgId } = context;
    const id = userUuid(input.id);
    const account = await memberOf(db, orgId, id);
    if (account?.kind !== "service") fail(ServiceAccountNotFound, `${input.id} is not a service account of this organization; qinfra service-accounts list shows them.`);
    if (account.disabled_at !== null) return showServiceAccount(account);
    const at = timestamp(context.clock);
    const revokedKeys = await disable(db, orgId, id, at);
    await context.events.append({ type: ServiceAccountDisabled, subject: input.id, data: { organization: orgTypeId(orgId), revokedKeys } });
    return showServiceAccount({ ...account, disabled_at: new Date(at) });
  },
});

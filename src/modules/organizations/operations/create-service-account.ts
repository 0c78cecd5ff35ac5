import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { operation } from "../../../platform/operation/index.ts";
import { mayGive } from "../caller.ts";
import { RoleTooWide } from "../errors.ts";
import { ServiceAccountCreated } from "../events.ts";
import { orgTypeId, userTypeId } from "../ids.ts";
import { OneLine, RoleName, ServiceAccount } from "../schemas.ts";
import { insertServiceAccount } from "../service-account-store.ts";

export const createServiceAccount = operation({
  id: "service-accounts.create",
  http: "POST /api/v1/service-accounts",
  cli: { name: "service-accounts create", positional: ["name"] },
  summary: "Create an account for programs, with a role and without sign-in",
  description: "API keys that are made for it act with its role, and outlive the membership of whoever made them.",
  permission: "members:write",
  effect: "change",
  database: "system",
  input: Type.Object({ name: OneLine, role: RoleName }),
  output: ServiceAccount,
  errors: [RoleTooWide],
  creates: true,
  examples: [{ input: { name: "nightly builds", role: "operator" } }],
  async handle(context, { name, role }) {
    mayGive(context.actor, role);
    const id = context.ids.uuid();
    const at = timestamp(context.clock);
    await insertServiceAccount(context.db, { id, orgId: context.orgId, name, role, at });
    await context.events.append({ type: ServiceAccountCreated, subject: userTypeId(id), data: { organization: orgTypeId(context.orgId), role } });
    return { id: userTypeId(id), name, role, disabled: false, createdAt: at };
  },
});

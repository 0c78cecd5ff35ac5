import { Type } from "typebox";
import { fail, Unauthenticated } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { userOf } from "../caller.ts";
import { effectOf, explain } from "../explain.ts";
import { ApiKeyId, keyTypeId, orgTypeId, UserId, userTypeId } from "../ids.ts";
import { requireKnown } from "../known-permission.ts";
import { Organization, Permission, RoleName } from "../schemas.ts";
import { showOrganization } from "../shown.ts";
import { memberOf, organizationsOf } from "../views.ts";

export const whoAmI = operation({
  id: "users.me",
  http: "GET /api/v1/users/me",
  cli: { name: "whoami", columns: ["user", "organization", "roles"], alone: "can", failsWhen: { field: "can.allowed", is: false } },
  summary: "Who you are here, and whether and why you may do something",
  permission: "self",
  reason: "everybody may know who they are",
  effect: "read",
  database: "system",
  input: Type.Object({ can: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "A permission such as `images:build`: whether you have it here, and why" })) }),
  output: Type.Object({
    user: Type.Object({ id: UserId, name: Type.String(), displayName: Type.String(), email: Type.Optional(Type.String()) }),
    apiKey: Type.Optional(ApiKeyId),
    organization: Organization,
    roles: Type.Array(RoleName),
    permissions: Type.Array(Permission),
    agent: Type.Boolean({ description: "The caller counts as an AI actor" }),
    organizations: Type.Array(Organization, { description: "Where the user is a member; for an API key, its own only" }),
    can: Type.Optional(Type.Object({ permission: Permission, allowed: Type.Boolean(), because: Type.Array(Type.String()) })),
  }),
  examples: [{ input: {} }, { input: { can: "images:build" }, summary: "Whether you may build images, and why" }],
  async prepare(context, { can }) {
    if (can === undefined) return undefined;
    requireKnown(can, context.permissions, context.publicUrl);
    return { permission: can, reasons: await context.judge(can, effectOf(can)) };
  },
  async handle(context, _input, asked) {
    const { actor, db } = context;
    const userId = userOf(actor);
    const member = await memberOf(db, context.orgId, userId);
    const all = await organizationsOf(db, userId);
    const own = all.find((org) => org.id === context.orgId);
    if (member === undefined || own === undefined) fail(Unauthenticated, `You are no longer a member of ${orgTypeId(context.orgId)}; sign in again.`);
    // An application is told the address by the ID token, where the person allowed that.
    const application = actor.kind === "api-key" && actor.keyId === undefined;
    return {
      user: { id: userTypeId(userId), name: member.name, displayName: member.display_name, ...(member.email === null || application ? {} : { email: member.email }) },
      ...(actor.keyId === undefined ? {} : { apiKey: keyTypeId(actor.keyId) }),
      organization: showOrganization(own),
      roles: [member.role],
      permissions: [...actor.permissions],
      agent: actor.ai,
      organizations: (actor.kind === "api-key" ? [own] : all).map(showOrganization),
      ...(asked === undefined ? {} : { can: explain(actor, { role: member.role, organization: own.name }, asked.permission, asked.reasons) }),
    };
  },
});

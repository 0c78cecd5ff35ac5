import { Type } from "typebox";
import { grants } from "../../../platform/actor.ts";
import { timestamp } from "../../../platform/clock.ts";
import { fail, PermissionMissing } from "../../../platform/errors.ts";
import { newApiKey } from "../../../platform/identity/tokens.ts";
import { TypeId } from "../../../platform/ids.ts";
import { operation, type Context } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { PersonNeeded, ScopeNotHeld, ServiceAccountNotFound } from "../errors.ts";
import { ApiKeyCreated } from "../sign-in-events.ts";
import { keyTypeId, userTypeId, userUuid } from "../ids.ts";
import { permissionsOf } from "../roles.ts";
import { ApiKey, OneLine, Permission } from "../schemas.ts";
import { showApiKey } from "../shown.ts";
import { insertApiKey } from "../store.ts";
import { memberOf } from "../views.ts";

const dayMs = 86_400_000;

export const createApiKey = operation({
  id: "api-keys.create",
  http: "POST /api/v1/api-keys",
  cli: { name: "api-keys create", positional: ["name"], columns: ["id", "name", "key", "expiresAt"] },
  summary: "Create an API key that acts for you or a service account, within its scopes",
  description: "The key is shown once. It never does more than its scopes, nor more than your role, or the service account's, at the time of its use. One for a service account needs members:write, and stays when you leave.",
  permission: "api-keys:write",
  effect: "change",
  answersSecret: true,
  without: { mcp: "the answer holds a secret, which is for a person" },
  input: Type.Object({
    name: OneLine,
    scopes: Type.Array(Permission, { minItems: 1, maxItems: 100, uniqueItems: true }),
    agent: Type.Optional(Type.Boolean({ default: false, description: "For an AI agent: what it would destroy needs an approval" })),
    serviceAccount: Type.Optional(TypeId("usr", "Service account with whose role it acts, instead of yours")),
    expiresInDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 365, default: 90 })),
  }),
  output: Type.Object({ ...ApiKey.properties, key: Type.String({ description: "The key itself; shown once" }) }),
  errors: [ScopeNotHeld, PersonNeeded, ServiceAccountNotFound],
  creates: true,
  examples: [{ input: { name: "nightly scan", scopes: ["scans:run", "assets:write"], expiresInDays: 90 } }, { input: { name: "image builds", scopes: ["images:read"], serviceAccount: "usr_01jd0000000000000000000000" } }],
  async handle(context, input) {
    const { actor, orgId } = context;
    // A key that makes keys would outlive its own revocation.
    const createdBy = personOf(actor);
    const beyond = input.scopes.filter((scope) => !grants(actor.permissions, scope));
    if (beyond.length > 0) fail(ScopeNotHeld, `Your role does not hold ${beyond.join(", ")}, so a key of yours cannot; leave it out.`, { scopes: beyond });
    const account = input.serviceAccount === undefined ? undefined : await accountOf(context, input.serviceAccount, input.scopes);
    const { key, prefix, hash } = newApiKey();
    const now = context.clock.now();
    const expires = new Date(now + (input.expiresInDays ?? 90) * dayMs);
    const row = { id: context.ids.uuid(), name: input.name, prefix, scopes: input.scopes, agent: input.agent === true || actor.ai, ...(account !== undefined && { actsAs: account }) };
    await insertApiKey(context.db, { ...row, orgId, hash, createdBy, at: timestamp(context.clock), expiresAt: expires.toISOString() });
    await context.events.append({
      type: ApiKeyCreated, subject: keyTypeId(row.id),
      data: { user: userTypeId(account ?? createdBy), scopes: row.scopes, agent: row.agent, expiresAt: expires.toISOString() },
    });
    const shown = showApiKey({ ...row, acts_as: account ?? null, created_by: createdBy, created_at: new Date(now), expires_at: expires, last_used_at: null, revoked_at: null }, now);
    return { ...shown, key };
  },
});

/** The service account that the key will act as: managing those takes members:write, and its role bounds the key like a person's. */
async function accountOf({ actor, db, orgId }: Context, id: string, scopes: readonly string[]): Promise<string> {
  if (!grants(actor.permissions, "members:write")) {
    fail(PermissionMissing, "A key for a service account needs the permission members:write; ask an administrator of the organization.", { permission: "members:write" });
  }
  const account = await memberOf(db, orgId, userUuid(id));
  if (account?.kind !== "service" || account.disabled_at !== null) fail(ServiceAccountNotFound, `${id} is not a service account of this organization that can be used; qinfra service-accounts list shows them.`);
  const beyond = scopes.filter((scope) => !grants(permissionsOf(account.role, actor.platform), scope));
  if (beyond.length > 0) fail(ScopeNotHeld, `${account.display_name} has the role ${account.role}, which does not hold ${beyond.join(", ")}; leave it out, or change the role.`, { scopes: beyond });
  return account.user_id;
}

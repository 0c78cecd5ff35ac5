import { Type } from "typebox";
import { grants } from "../../../platform/actor.ts";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { ApiKeyNotFound, ApiKeyOfAnother } from "../errors.ts";
import { ApiKeyRevoked } from "../sign-in-events.ts";
import { ApiKeyId, keyUuid, userTypeId } from "../ids.ts";
import { ApiKey } from "../schemas.ts";
import { showApiKey } from "../shown.ts";
import { revokeApiKey as revoke } from "../store.ts";
import { apiKeyById } from "../views.ts";

export const revokeApiKey = operation({
  id: "api-keys.revoke",
  http: "DELETE /api/v1/api-keys/{id}",
  cli: { name: "api-keys revoke", positional: ["id"], columns: ["id", "name", "state"] },
  summary: "Revoke an API key: it is refused from now on",
  description: "Your own keys; with members:write, those of every member and service account.",
  permission: "api-keys:write",
  effect: "destructive",
  input: Type.Object({ id: ApiKeyId }),
  output: ApiKey,
  errors: [ApiKeyNotFound, ApiKeyOfAnother],
  examples: [{ input: { id: "key_01jd0000000000000000000000" } }],
  async handle(context, input) {
    const { actor, db, orgId } = context;
    const id = keyUuid(input.id);
    const row = await apiKeyById(db, orgId, id);
    if (row === undefined) fail(ApiKeyNotFound, `${input.id} is not an API key of this organization.`);
    const owner = row.acts_as ?? row.created_by;
    if (owner !== actor.userId && !grants(actor.permissions, "members:write")) {
      fail(ApiKeyOfAnother, `This key acts for ${userTypeId(owner)}; ask them, or an administrator.`);
    }
    const at = timestamp(context.clock);
    if (await revoke(db, orgId, id, at)) {
      await context.events.append({ type: ApiKeyRevoked, subject: input.id, data: { user: userTypeId(owner) } });
    }
    return showApiKey({ ...row, revoked_at: row.revoked_at ?? new Date(at) }, context.clock.now());
  },
});

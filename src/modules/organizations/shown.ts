import type { Static } from "typebox";
import { keyTypeId, orgTypeId, userTypeId } from "./ids.ts";
import type { ApiKey, Member, Organization, ServiceAccount } from "./schemas.ts";
import type { ApiKeyRow, MemberRow, OrganizationRow } from "./views.ts";

export function showOrganization(row: OrganizationRow): Static<typeof Organization> {
  return { id: orgTypeId(row.id), name: row.name, slug: row.slug, platform: row.is_platform, createdAt: row.created_at.toISOString() };
}

export function showMember(row: MemberRow): Static<typeof Member> {
  return {
    user: userTypeId(row.user_id), name: row.name, displayName: row.display_name, ...(row.email === null ? {} : { email: row.email }),
    kind: row.kind, role: row.role, disabled: row.disabled_at !== null, since: row.created_at.toISOString(),
  };
}

export function showServiceAccount(row: MemberRow): Static<typeof ServiceAccount> {
  return { id: userTypeId(row.user_id), name: row.display_name, role: row.role, disabled: row.disabled_at !== null, createdAt: row.created_at.toISOString() };
}

/** `now` in milliseconds. */
export function showApiKey(row: ApiKeyRow, now: number): Static<typeof ApiKey> {
  return {
    id: keyTypeId(row.id), name: row.name, prefix: row.prefix, scopes: row.scopes, agent: row.agent,
    state: row.revoked_at !== null ? "revoked" : row.expires_at.getTime() <= now ? "expired" : "active",
    ...(row.acts_as === null ? {} : { serviceAccount: userTypeId(row.acts_as) }),
    createdBy: userTypeId(row.created_by), createdAt: row.created_at.toISOString(), expiresAt: row.expires_at.toISOString(),
    ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at.toISOString() }),
  };
}

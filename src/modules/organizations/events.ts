import { Type } from "typebox";
import { eventType } from "../../platform/events/declare.ts";
import { OrganizationId, UserId } from "./ids.ts";
import { roles } from "./roles.ts";
import { Checkpoint, Count, LimitsSet, QuotaNames, Seen, Time } from "./event-data.ts";

const organization = { organization: OrganizationId };
const ended = {
  revokedKeys: Type.Optional(Count("API keys that were revoked")),
  endedSessions: Type.Optional(Count("Sessions that ended")),
};
const Role = Type.Enum([...roles], { description: "Role of the member" });
const issuer = Type.Optional(Type.String({ format: "uri", maxLength: 2_000, description: "Issuer of the token whose groups say so" }));

export const OrganizationCreated = eventType({
  type: "organizations.created", summary: "An organization was made", permission: Seen.organization,
  data: { platform: Type.Boolean({ description: "It runs the platform" }) },
});
export const OrganizationRenamed = eventType({ type: "organizations.renamed", summary: "An organization has another name", permission: Seen.organization, data: {} });
export const OrganizationTransferred = eventType({
  type: "organizations.transferred", summary: "An administrator handed the organization over", permission: Seen.members, data: { from: UserId, to: UserId },
});
export const SettingsSet = eventType({
  type: "organizations.settings-set", summary: "The settings of the organization were set", permission: Seen.organization,
  data: { version: Type.Integer({ minimum: 1, description: "Version of the settings" }) },
});
export const QuotasSet = eventType({
  type: "organizations.quotas-set", summary: "Quotas of an organization were set", permission: Seen.organization,
  data: { limits: LimitsSet, reset: QuotaNames },
});
export const OrganizationDeleted = eventType({
  type: "organizations.deleted", summary: "An administrator deleted the organization; until a time it can be restored", permission: Seen.organization,
  data: { ...organization, dueAt: Time("From when on it is erased") },
});
export const OrganizationRestored = eventType({
  type: "organizations.restored", summary: "A deleted organization was restored", permission: Seen.organization, data: organization,
});
export const ErasureBegun = eventType({
  type: "organizations.erasure-begun", summary: "The erasure of a deleted organization began", permission: Seen.security,
  data: { ...organization, events: Count("Events in its chain"), checkpoint: Type.Optional(Checkpoint) },
});
export const OrganizationErased = eventType({
  type: "organizations.erased", summary: "A deleted organization was erased", permission: Seen.security,
  data: {
    ...organization,
    rows: Count("Rows that were removed"),
    blobs: Type.Optional(Count("Blobs that were removed")),
    people: Type.Optional(Count("People who were members of nothing else, erased with it")),
    events: Type.Optional(Count("Events in its chain")),
    checkpoint: Type.Optional(Checkpoint),
  },
});

export const MemberAdded = eventType({
  type: "members.added", summary: "Somebody became a member", permission: Seen.members,
  data: {
    ...organization,
    role: Role,
    created: Type.Boolean({ description: "The user was made for it" }),
    invitation: Type.Optional(Type.String({ pattern: "^inv_[0-7][0-9a-hjkmnp-tv-z]{25}$", description: "Invitation that they followed" })),
    issuer,
  },
});
export const MemberRoleSet = eventType({
  type: "members.role-set", summary: "A member has another role", permission: Seen.members, data: { ...organization, from: Role, to: Role, issuer },
});
export const MemberRemoved = eventType({
  type: "members.removed", summary: "Somebody is no member any more", permission: Seen.members,
  data: { ...organization, ...ended, erased: Type.Optional(Type.Literal(true, { description: "Because the person was erased" })), issuer },
});
export const InvitationCreated = eventType({
  type: "invitations.created", summary: "Somebody was invited", permission: Seen.members, data: { role: Role, expiresAt: Time("Until when it can be followed") },
});
export const InvitationRevoked = eventType({ type: "invitations.revoked", summary: "An invitation was revoked", permission: Seen.members, data: { role: Role } });

export const ServiceAccountCreated = eventType({
  type: "service-accounts.created", summary: "An account for programs was made", permission: Seen.members, data: { ...organization, role: Role },
});
export const ServiceAccountDisabled = eventType({
  type: "service-accounts.disabled", summary: "An account for programs was disabled", permission: Seen.members,
  data: { ...organization, revokedKeys: Count("API keys that were revoked") },
});

export const UserErased = eventType({
  type: "users.erased", summary: "A person was erased; the id stays as a tombstone", permission: Seen.security,
  data: {
    organizations: Type.Optional(Count("Organizations of which they were a member")), ...ended,
    with: Type.Optional({ ...OrganizationId, description: "Organization with whose erasure they went" }),
  },
});

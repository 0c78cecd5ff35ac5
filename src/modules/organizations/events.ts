/** Names of the events that this module appends. Their data holds ids, enumerated values and counts only. */
export const OrganizationCreated = "organizations.created";
export const QuotasSet = "organizations.quotas-set";
export const MemberAdded = "members.added";
export const MemberRoleSet = "members.role-set";
export const MemberRemoved = "members.removed";
export const PasswordSet = "users.password-set";
export const SessionCreated = "sessions.created";
export const SessionRevoked = "sessions.revoked";
export const ServiceAccountCreated = "service-accounts.created";
export const ServiceAccountDisabled = "service-accounts.disabled";
export const ApiKeyCreated = "api-keys.created";
export const ApiKeyRevoked = "api-keys.revoked";

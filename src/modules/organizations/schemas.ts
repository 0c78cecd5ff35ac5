import { Type } from "typebox";
import { quotaResources } from "../../platform/operation/quotas.ts";
import { ApiKeyId, InvitationId, OrganizationId, SessionId, UserId } from "./ids.ts";

export const Time = Type.String({ format: "date-time", description: "RFC 3339, UTC" });
export const RoleName = Type.Union([Type.Literal("admin"), Type.Literal("operator"), Type.Literal("viewer"), Type.Literal("auditor")], { description: "What the member may do" });
export const LoginName = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$", description: "Login name; upper and lower case are the same" });
export const NewPassword = Type.String({ writeOnly: true, minLength: 12, maxLength: 1024, description: "At least 12 characters, of any kind" });
export const Email = Type.String({ maxLength: 254, pattern: "^[^\\s@]+@[^\\s@]+$" });
export const OneLine = Type.String({ minLength: 1, maxLength: 200, pattern: "^[^\\u0000-\\u001f\\u007f]+$" });
export const Slug = { pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", description: "Short name for addresses, as a DNS label" };
export const permissionPattern = "^[a-z][a-z-]{0,40}:(\\*|[a-z][a-z-]{0,40})$";
export const Permission = Type.String({ pattern: permissionPattern, description: "`images:read`; `images:*` is each of them", examples: ["images:read", "images:*"] });
const doors = [Type.Literal("browser"), Type.Literal("cli")] as const;
const doorHelp = "browser: a cookie; cli: a bearer token";
export const Door = Type.Union([...doors], { description: doorHelp });
export const DoorOrCli = Type.Optional(Type.Union([...doors], { default: "cli", description: doorHelp }));

export const QuotaResourceName = Type.Enum([...quotaResources], { description: "What the quota is on" });
export const QuotaList = Type.Object({
  items: Type.Array(Type.Object({
    resource: QuotaResourceName,
    used: Type.Integer({ minimum: 0, description: "What counts against it now" }),
    limit: Type.Optional(Type.Integer({ minimum: 0, description: "Absent: no limit" })),
    from: Type.Union([Type.Literal("own"), Type.Literal("default")], { description: "own: set for this organization; default: the platform's" }),
  })),
});

export const Organization = Type.Object({
  id: OrganizationId,
  name: Type.String(),
  slug: Type.String(),
  platform: Type.Boolean({ description: "The organization that runs the platform" }),
  createdAt: Time,
});

export const Member = Type.Object({
  user: UserId,
  name: Type.String(),
  displayName: Type.String(),
  email: Type.Optional(Type.String()),
  kind: Type.Union([Type.Literal("person"), Type.Literal("service")], { description: "service: an account for programs, which cannot sign in" }),
  role: RoleName,
  disabled: Type.Boolean(),
  since: Time,
});

export const InvitationToken = Type.String({ writeOnly: true, minLength: 1, maxLength: 200, description: "Last part of the invitation's link" });
export const InvitationState = Type.Union([Type.Literal("pending"), Type.Literal("accepted"), Type.Literal("expired"), Type.Literal("revoked")], {
  description: "revoked: also when whoever invited may no longer give the role",
});

export const Invitation = Type.Object({
  id: InvitationId,
  role: RoleName,
  email: Type.Optional(Type.String({ description: "For whom it is meant; nothing is sent there" })),
  state: InvitationState,
  invitedBy: UserId,
  createdAt: Time,
  expiresAt: Time,
  acceptedBy: Type.Optional(UserId),
  acceptedAt: Type.Optional(Time),
});

export const ServiceAccount = Type.Object({
  id: UserId,
  name: Type.String(),
  role: RoleName,
  disabled: Type.Boolean(),
  createdAt: Time,
});

export const ApiKey = Type.Object({
  id: ApiKeyId,
  name: Type.String(),
  prefix: Type.String({ description: "The part of the key that may be shown" }),
  scopes: Type.Array(Permission),
  agent: Type.Boolean({ description: "Used by an AI agent" }),
  state: Type.Union([Type.Literal("active"), Type.Literal("expired"), Type.Literal("revoked")]),
  serviceAccount: Type.Optional(UserId),
  createdBy: UserId,
  createdAt: Time,
  expiresAt: Time,
  lastUsedAt: Type.Optional(Time),
});

export const Session = Type.Object({
  id: SessionId,
  door: Door,
  organization: OrganizationId,
  current: Type.Boolean({ description: "The session that asks" }),
  createdAt: Time,
  expiresAt: Time,
  lastSeenAt: Time,
});

/** What a sign-in answers, however it was done. */
export const NewSession = Type.Object({
  token: Type.String({ description: "Shown once" }),
  session: SessionId,
  user: UserId,
  organization: OrganizationId,
  expiresAt: Time,
  mustChangePassword: Type.Boolean({ description: "The password was a one-time password: set a new one" }),
});

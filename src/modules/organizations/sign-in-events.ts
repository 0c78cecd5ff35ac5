import { Type } from "typebox";
import { eventType } from "../../platform/events/declare.ts";
import { Count, Seen, Time } from "./event-data.ts";
import { UserId } from "./ids.ts";
import { permissionPattern } from "./schemas.ts";

const { security: permission } = Seen;
const endedSessions = Count("Sessions that ended");
const Kind = Type.Enum(["totp", "passkey"], { description: "What the second factor is" });
const By = Type.Enum(["totp", "recovery-code", "passkey"], { description: "The second factor that was given" });

export const PasswordSet = eventType({
  type: "users.password-set", summary: "A person set a password", permission,
  data: {
    endedSessions,
    oneTimeSpent: Type.Boolean({ description: "In place of a one-time password" }),
    by: Type.Optional(Type.Literal("reset-link", { description: "By a link that an administrator offered" })),
    offeredBy: Type.Optional({ ...UserId, description: "Who offered the link" }),
  },
});
export const PasswordResetOffered = eventType({
  type: "users.password-reset-offered", summary: "An administrator made a link with which a person sets a password", permission, data: { expiresAt: Time("Until when it works") },
});
export const UserDisabled = eventType({ type: "users.disabled", summary: "A person can no longer sign in", permission, data: { endedSessions } });
export const UserEnabled = eventType({ type: "users.enabled", summary: "A person can sign in again", permission, data: {} });
export const SecondFactorsReset = eventType({ type: "users.second-factors-reset", summary: "All second factors of a person were removed", permission, data: { endedSessions } });

export const SessionCreated = eventType({
  type: "sessions.created", summary: "Somebody signed in", permission,
  data: {
    user: UserId,
    door: Type.Enum(["browser", "cli"], { description: "Where" }),
    mustChangePassword: Type.Boolean({ description: "With a one-time password" }),
    secondFactor: Type.Boolean({ description: "With a second factor" }),
    by: Type.Optional(By),
    issuer: Type.Optional(Type.String({ maxLength: 2_000, pattern: "^(local|https?://[^\\s]+)$", description: "Who issued the token that was exchanged; local: the platform's own provider" })),
  },
});
export const SessionConfirmed = eventType({ type: "sessions.confirmed", summary: "Somebody gave a second factor anew", permission, data: { user: UserId, by: By } });
export const SessionRevoked = eventType({ type: "sessions.revoked", summary: "A session was ended", permission, data: { user: UserId } });

export const SecondFactorAdded = eventType({
  type: "second-factors.added", summary: "A person added a second factor", permission,
  data: { kind: Kind, first: Type.Boolean({ description: "They had none before" }), endedSessions },
});
export const SecondFactorRemoved = eventType({
  type: "second-factors.removed", summary: "A person removed a second factor", permission, data: { kind: Kind, left: Count("Second factors that are left") },
});
export const RecoveryCodesMade = eventType({
  type: "second-factors.recovery-codes-made", summary: "A person made new recovery codes", permission, data: { codes: Count("Codes that were made") },
});

export const ApiKeyCreated = eventType({
  type: "api-keys.created", summary: "An API key was made", permission,
  data: {
    user: { ...UserId, description: "For whom it acts" },
    scopes: Type.Array(Type.String({ pattern: permissionPattern, maxLength: 100 }), { maxItems: 100, description: "What it may do at most" }),
    agent: Type.Boolean({ description: "It is for an AI agent" }),
    expiresAt: Time("Until when it works"),
  },
});
export const ApiKeyRevoked = eventType({ type: "api-keys.revoked", summary: "An API key was revoked", permission, data: { user: UserId } });

export const ApplicationCreated = eventType({
  type: "applications.created", summary: "An application may send people here to sign in", permission, data: { redirectUris: Count("Addresses that it may be answered at") },
});
export const ApplicationAllowed = eventType({
  type: "applications.allowed", summary: "A person lets an application act for them", permission,
  data: { user: UserId, scopes: Type.Array(Type.String({ pattern: "^[a-z][a-z_:*-]{0,90}$", maxLength: 100 }), { maxItems: 200, description: "All that it may from now on" }) },
});
export const ApplicationDeleted = eventType({ type: "applications.deleted", summary: "An application was taken out", permission, data: {} });
export const SignInKeyRotated = eventType({ type: "sign-in-keys.rotated", summary: "The platform signs tokens with another key", permission, data: {} });

import { Type } from "typebox";
import { RoleName, Time } from "../schemas.ts";

export const SecondFactorId = Type.Union([
  Type.Literal("totp"),
  Type.String({ pattern: "^[A-Za-z0-9_-]{16,1400}$" }),
], { description: "`totp` for the authenticator app, or the id of a passkey (base64url, as the authenticator made it)" });

export const SecondFactor = Type.Object({
  id: SecondFactorId,
  kind: Type.Union([Type.Literal("totp"), Type.Literal("passkey")]),
  name: Type.String(),
  addedAt: Time,
  lastUsedAt: Type.Optional(Time),
});

export const Code = Type.String({ minLength: 6, maxLength: 100, writeOnly: true, description: "Six digits of the authenticator app, or a recovery code" });

export const CurrentPassword = Type.Optional(Type.String({ minLength: 1, maxLength: 1024, writeOnly: true, description: "For the first second factor, where the sign-in is older than ten minutes" }));

export const RecoveryCodes = Type.Array(Type.String(), { description: "Ten codes, each good once in place of the second factor; shown once" });

const base64url = (maxLength: number) => Type.String({ pattern: "^[A-Za-z0-9_-]*={0,2}$", maxLength });

const credential = {
  id: base64url(1_400),
  rawId: base64url(1_400),
  type: Type.Literal("public-key"),
  authenticatorAttachment: Type.Optional(Type.Union([Type.Literal("cross-platform"), Type.Literal("platform"), Type.Null()])),
  clientExtensionResults: Type.Optional(Type.Object({})),
};

/** `PublicKeyCredential.toJSON()` of what `navigator.credentials.create` gave (RegistrationResponseJSON, WebAuthn 3, 5.1). */
export const CreatedCredential = Type.Object({
  ...credential,
  response: Type.Object({
    clientDataJSON: base64url(8_000),
    attestationObject: base64url(64_000),
    transports: Type.Optional(Type.Array(Type.String({ maxLength: 32 }), { maxItems: 10 })),
  }),
}, { description: "What the browser answers to navigator.credentials.create, as its toJSON() gives it" });

/** The same of `navigator.credentials.get` (AuthenticationResponseJSON). */
export const UsedCredential = Type.Object({
  ...credential,
  response: Type.Object({
    clientDataJSON: base64url(8_000),
    authenticatorData: base64url(8_000),
    signature: base64url(8_000),
    userHandle: Type.Optional(Type.Union([base64url(200), Type.Null()])),
  }),
}, { description: "What the browser answers to navigator.credentials.get, as its toJSON() gives it" });

/** What a browser's navigator.credentials is given; its members are those of the specification. */
export const PasskeyOptions = Type.Unsafe<object>(Type.Object({}, { additionalProperties: true, description: "For PublicKeyCredential.parseCreationOptionsFromJSON or parseRequestOptionsFromJSON" }));

/** Part of an organization's settings: who must have a second factor to do anything here. Read by policies/request.rego. */
export const SecondFactorSetting = Type.Object({
  roles: Type.Array(RoleName, { maxItems: 4, uniqueItems: true, description: "Members in one of these roles can only enrol until they sign in with a second factor" }),
}, { additionalProperties: false, description: "For whom a second factor is required" });

/** The answer of what made a second factor count. */
export const Enrolled = Type.Object({
  id: SecondFactorId,
  recoveryCodes: Type.Optional(RecoveryCodes),
  endedSessions: Type.Integer({ minimum: 0, description: "Your other sessions, which end with the first second factor" }),
});

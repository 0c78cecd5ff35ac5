import { Type } from "typebox";
import { operation } from "../../../platform/operation/index.ts";

export const signInOptions = operation({
  id: "sessions.sign-in-options",
  http: "GET /api/v1/sign-in",
  summary: "Where people sign in, for programs that they use in a terminal",
  description: "Each issuer has the device flow (RFC 8628) for the client that is named with it, or may have; `sessions.exchange` takes its ID token.",
  permission: "public",
  reason: "a program asks it before anybody is signed in",
  effect: "read",
  without: { cli: "`qinfra login` asks for it by itself", mcp: "a program is given an API key, not a person's session" },
  input: Type.Object({}),
  output: Type.Object({
    issuers: Type.Array(Type.Object({
      issuer: Type.String({ description: "Its metadata lies below it, as OpenID Connect Discovery has it" }),
      label: Type.String(),
      clientId: Type.String({ description: "A public client" }),
      local: Type.Boolean({ description: "The platform itself" }),
    })),
    passwords: Type.Boolean({ description: "Whether `sessions.create` takes names and passwords" }),
  }),
  examples: [{ input: {} }],
  prepare: async ({ settings }) => settings.signIn,
  handle: async (_context, _input, options) => ({ issuers: [...options.issuers], passwords: options.passwords }),
});

import { Type } from "typebox";
import { fail, Unauthenticated } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { PasskeysUnavailable, PersonNeeded, SignInAgain, WrongPassword } from "../errors.ts";
import { personById } from "../second-factor-views.ts";
import { mayAddFactor } from "../second-factor/enrolment.ts";
import { passkeyCreation } from "../second-factor/passkeys.ts";
import { CurrentPassword, PasskeyOptions } from "../second-factor/schemas.ts";

export const beginPasskey = operation({
  id: "second-factors.begin-passkey",
  http: "POST /api/v1/second-factors/passkeys/options",
  summary: "Begin with a passkey: what the browser makes it of",
  description: "Good once and for five minutes. The first second factor needs the password or a sign-in of the last ten minutes; a further one needs a second factor given in the last five minutes.",
  permission: "self",
  reason: "everybody may have a second factor",
  effect: "change",
  answersSecret: true,
  without: { mcp: "an authenticator answers to a person", cli: "passkeys are made by a browser, on the account page" },
  database: "system",
  input: Type.Object({ currentPassword: CurrentPassword }),
  output: Type.Object({ options: PasskeyOptions }),
  errors: [PersonNeeded, SignInAgain, WrongPassword, PasskeysUnavailable],
  examples: [{ input: { currentPassword: "correct horse battery staple" } }],
  async prepare(context, input) {
    const userId = await mayAddFactor(context, input.currentPassword);
    const person = (await context.transaction((db) => personById(db, userId))) ?? fail(Unauthenticated);
    return passkeyCreation(context, { userId, name: person.name, displayName: person.display_name });
  },
  handle: async (_context, _input, options) => ({ options }),
});

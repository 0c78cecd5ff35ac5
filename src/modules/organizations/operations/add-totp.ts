import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { PersonNeeded, SignInAgain, TotpExists, WrongPassword } from "../errors.ts";
import { insertTotp } from "../second-factor-store.ts";
import { personById } from "../second-factor-views.ts";
import { mayAddFactor, mayStillAddFactor } from "../second-factor/enrolment.ts";
import { issuerName } from "../second-factor/names.ts";
import { CurrentPassword } from "../second-factor/schemas.ts";
import { newTotpSecret, totpSecretText, totpUri } from "../second-factor/totp.ts";
import { totpSecretFor } from "../second-factor/verify-code.ts";

export const addTotp = operation({
  id: "second-factors.add-totp",
  http: "POST /api/v1/second-factors/totp",
  summary: "Begin with an authenticator app: its secret, shown once",
  description: "Counts from `second-factors.confirm-totp` on, which takes the app's first code within half an hour. The first second factor needs the password or a sign-in of the last ten minutes; a further one needs a second factor given in the last five minutes.",
  permission: "self",
  reason: "everybody may have a second factor",
  effect: "change",
  answersSecret: true,
  without: { mcp: "the answer is a secret, which is for a person", cli: "`qinfra second-factors add-totp` asks for the password and the first code without showing them" },
  database: "system",
  input: Type.Object({ currentPassword: CurrentPassword }),
  output: Type.Object({
    secret: Type.String({ description: "Base32, for apps that cannot read the address; shown once" }),
    uri: Type.String({ description: "otpauth:// address, which a QR code carries; shown once" }),
  }),
  errors: [PersonNeeded, SignInAgain, WrongPassword, TotpExists],
  creates: true,
  examples: [{ input: { currentPassword: "correct horse battery staple" } }],
  async prepare(context, input) {
    const userId = await mayAddFactor(context, input.currentPassword);
    const secret = newTotpSecret();
    return { userId, secret, sealed: await context.secrets.seal(secret, totpSecretFor) };
  },
  async handle(context, _input, { userId, secret, sealed }) {
    await mayStillAddFactor(context.db, context, userId);
    const made = await insertTotp(context.db, { userId, secret: sealed, at: timestamp(context.clock) });
    if (!made) fail(TotpExists, "You have an authenticator app already; to use another, remove that one first.");
    const account = (await personById(context.db, userId))?.name ?? userId;
    return { secret: totpSecretText(secret), uri: totpUri(secret, { issuer: issuerName, account }) };
  },
});

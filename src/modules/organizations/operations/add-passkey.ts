import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { PasskeyExists, PasskeyRefused, PasskeysUnavailable, PersonNeeded, TooManyPasskeys } from "../errors.ts";
import { SecondFactorAdded } from "../sign-in-events.ts";
import { userTypeId } from "../ids.ts";
import { OneLine } from "../schemas.ts";
import { insertPasskey } from "../second-factor-store.ts";
import { afterFirstFactor, mayStillAddFactor } from "../second-factor/enrolment.ts";
import { createdPasskey } from "../second-factor/passkeys.ts";
import { CreatedCredential, Enrolled } from "../second-factor/schemas.ts";

const most = 20;

export const addPasskey = operation({
  id: "second-factors.add-passkey",
  http: "POST /api/v1/second-factors/passkeys",
  summary: "Register the passkey that the browser made",
  description: "Takes the answer to `second-factors.begin-passkey`. With the first second factor, answers ten recovery codes once and ends your other sessions, which began without it.",
  permission: "self",
  reason: "everybody may have a second factor",
  effect: "change",
  answersSecret: true,
  without: { mcp: "an authenticator answers to a person", cli: "passkeys are made by a browser, on the account page" },
  database: "system",
  input: Type.Object({ name: OneLine, credential: CreatedCredential }),
  output: Enrolled,
  errors: [PersonNeeded, PasskeyRefused, PasskeyExists, TooManyPasskeys, PasskeysUnavailable],
  creates: true,
  examples: [{
    input: {
      name: "laptop",
      credential: { id: "bGFwdG9wLW9mLWFkYQ", rawId: "bGFwdG9wLW9mLWFkYQ", type: "public-key", response: { clientDataJSON: "e30", attestationObject: "oA" } },
    },
  }],
  async prepare(context, input) {
    const userId = personOf(context.actor);
    return { userId, passkey: await createdPasskey(context, userId, input.credential) };
  },
  async handle(context, input, { userId, passkey }) {
    const { db, actor } = context;
    const at = timestamp(context.clock);
    const before = await mayStillAddFactor(db, context, userId);
    if (before.passkeys >= most) fail(TooManyPasskeys, `You have ${before.passkeys} passkeys; remove one that you do not use.`);
    if (!(await insertPasskey(db, { ...passkey, userId, name: input.name, at }))) fail(PasskeyExists, "This passkey is registered here already.");
    const first = before.any ? { endedSessions: 0 } : await afterFirstFactor(db, userId, { sessionId: actor.sessionId, at });
    await context.events.append({ type: SecondFactorAdded, subject: userTypeId(userId), data: { kind: "passkey", first: !before.any, endedSessions: first.endedSessions } });
    return { id: passkey.id.toString("base64url"), ...first };
  },
});

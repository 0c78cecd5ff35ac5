import { Type } from "typebox";
import { operation } from "../../../platform/operation/index.ts";
import { SignInKeyRotated } from "../sign-in-events.ts";
import { newProviderKey, storeProviderKey } from "../provider/keys.ts";
import { lockProviderKeys } from "../provider/key-store.ts";

export const rotateSignInKeys = operation({
  id: "sign-in-keys.rotate",
  http: "POST /api/v1/sign-in-keys/rotate",
  cli: { name: "sign-in-keys rotate" },
  summary: "Sign ID tokens with a new key from now on",
  description: "Servers take it up within half a minute. What the key before it signed counts for another day. Without this the key is changed every ninety days.",
  permission: "platform:keys",
  effect: "change",
  database: "system",
  input: Type.Object({}),
  output: Type.Object({ keyId: Type.String({ description: "Its `kid` in /oidc/jwks" }) }),
  examples: [{ input: {} }],
  prepare: ({ secrets, ids }) => newProviderKey(secrets, ids.uuid()),
  async handle({ db, clock, events }, _input, key) {
    await lockProviderKeys(db);
    await storeProviderKey(db, clock, key);
    await events.append({ type: SignInKeyRotated, subject: key.id, data: {} });
    return { keyId: key.id };
  },
});

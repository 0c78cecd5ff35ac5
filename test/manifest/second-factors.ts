import { TOTP } from "otpauth";
import { simulatedAuthenticator } from "../../src/modules/organizations/testing/authenticator.ts";
import { toTypeId } from "../../src/platform/ids.ts";
import type { Person, TestCall, TestPlatform } from "../../src/app/testing.ts";

// The first factor of a person ends their other sessions, so that each arrangement is for somebody new.

const at = { origin: "http://localhost:8080", rpId: "localhost" };

async function somebody(platform: TestPlatform): Promise<{ person: Person; authorization: string }> {
  const person = await platform.newMember(platform.person("admin").orgId, "viewer");
  return { person, authorization: await platform.newSession(person) };
}

async function answered<T>(platform: TestPlatform, id: string, call: TestCall): Promise<T> {
  const { status, body, text } = await platform.call(id, call);
  if (status >= 300) throw new Error(`${id} answered ${status}: ${text}`);
  return body as T;
}

async function optionsOf(platform: TestPlatform, id: string, authorization: string): Promise<object> {
  return (await answered<{ options: object }>(platform, id, { authorization, input: {} })).options;
}

/** Somebody whose authenticator app waits for its first code. */
async function waiting(platform: TestPlatform) {
  const { person, authorization } = await somebody(platform);
  const { secret } = await answered<{ secret: string }>(platform, "second-factors.add-totp", { authorization, input: {} });
  const code = (steps: number) => TOTP.generate({ secret: new TOTP({ secret }).secret, timestamp: platform.platform.services.clock.now() + steps * 30_000 });
  return { person, authorization, code };
}

async function withTotp(platform: TestPlatform) {
  const made = await waiting(platform);
  const confirm = (): Promise<{ status: number }> => platform.call("second-factors.confirm-totp", { authorization: made.authorization, input: { code: made.code(-1) } });
  // The code before the current one, so that this one is left; it is too old where a step of 30 seconds ends just now.
  if ((await confirm()).status >= 300 && (await confirm()).status >= 300) throw new Error("no code was accepted, not even a second one");
  return made;
}

async function withPasskey(platform: TestPlatform) {
  const { authorization } = await somebody(platform);
  const authenticator = simulatedAuthenticator(at);
  const options = await optionsOf(platform, "second-factors.begin-passkey", authorization);
  await answered(platform, "second-factors.add-passkey", { authorization, input: { name: "made", credential: authenticator.create(options) } });
  return { authorization, authenticator };
}

async function resetToken(platform: TestPlatform): Promise<string> {
  const { person } = await somebody(platform);
  const { link } = await answered<{ link: string }>(platform, "users.reset-password", { as: "admin", input: { user: toTypeId("usr", person.userId) } });
  return link.slice(link.lastIndexOf("/") + 1);
}

/** What has to be there before the examples of second factors and of links for a new password can succeed. */
export const secondFactorArrangements: Readonly<Record<string, (platform: TestPlatform) => Promise<Partial<TestCall>>>> = {
  "second-factors.add-totp": async (platform) => ({ authorization: (await somebody(platform)).authorization, input: { currentPassword: "the password of everybody" } }),
  "second-factors.begin-passkey": async (platform) => ({ authorization: (await somebody(platform)).authorization, input: { currentPassword: "the password of everybody" } }),
  "second-factors.confirm-totp": async (platform) => {
    const { authorization, code } = await waiting(platform);
    return { authorization, input: { code: code(0) } };
  },
  "second-factors.add-passkey": async (platform) => {
    const { authorization } = await somebody(platform);
    return { authorization, input: { credential: simulatedAuthenticator(at).create(await optionsOf(platform, "second-factors.begin-passkey", authorization)) } };
  },
  "second-factors.remove": async (platform) => ({ authorization: (await withTotp(platform)).authorization }),
  "second-factors.new-recovery-codes": async (platform) => ({ authorization: (await withTotp(platform)).authorization }),
  "sessions.confirm": async (platform) => {
    const { authorization, code } = await withTotp(platform);
    return { authorization, input: { code: code(0) } };
  },
  "sessions.begin-confirmation": async (platform) => ({ authorization: (await withPasskey(platform)).authorization }),
  "sessions.confirm-passkey": async (platform) => {
    const { authorization, authenticator } = await withPasskey(platform);
    return { authorization, input: { credential: authenticator.get(await optionsOf(platform, "sessions.begin-confirmation", authorization)) } };
  },
  "users.reset-second-factors": async (platform) => ({ input: { user: toTypeId("usr", (await withTotp(platform)).person.userId) } }),
  "password-resets.look-up": async (platform) => ({ input: { token: await resetToken(platform) } }),
  "password-resets.use": async (platform) => ({ input: { token: await resetToken(platform) } }),
};

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Credentials } from "../../platform/operation/services.ts";
import { relyingParty } from "./second-factor/relying-party.ts";
import { simulatedAuthenticator, type SimulatedAuthenticator } from "./testing/authenticator.ts";
import { organizationsUnderTest, type UnderTest } from "./testing/platform.ts";

const minute = 60_000;
const at = { origin: "https://qinfra.example", rpId: "qinfra.example" };

let test: UnderTest;
let admin: Awaited<ReturnType<UnderTest["administrator"]>>;
let serial = 0;
beforeAll(async () => {
  test = await organizationsUnderTest();
  admin = await test.administrator();
});
afterAll(() => test.close());
beforeEach(() => test.clock.advance(60 * minute));

interface Owner {
  name: string;
  password: string;
  credentials: Credentials;
}

async function person(): Promise<Owner> {
  const made = await test.member(admin.credentials, `owner${++serial}`, "viewer");
  return { ...made, credentials: await test.signIn(made.name, made.password) };
}

const optionsOf = async (id: string, credentials: Credentials) => (await test.call<{ options: { challenge: string } & Record<string, unknown> }>(id, {}, credentials)).options;

async function register(owner: Owner, authenticator: SimulatedAuthenticator, name = "laptop") {
  const options = await optionsOf("second-factors.begin-passkey", owner.credentials);
  return test.call<{ id: string; recoveryCodes?: string[] }>("second-factors.add-passkey", { name, credential: authenticator.create(options) }, owner.credentials);
}

const confirm = async (owner: Owner, credential: object) => test.outcomeOf("sessions.confirm-passkey", { credential }, owner.credentials);

describe("registering", () => {
  it("given what the authenticator made, then it is a second factor with recovery codes, and a second one has a name of its own", async () => {
    const owner = await person();
    const options = await optionsOf("second-factors.begin-passkey", owner.credentials);
    expect(options).toMatchObject({ rp: { id: "qinfra.example", name: "QL-RF" }, attestation: "none", authenticatorSelection: { userVerification: "preferred" }, excludeCredentials: [] });
    const [laptop, key] = [simulatedAuthenticator(at), simulatedAuthenticator(at)];
    expect((await register(owner, laptop)).recoveryCodes).toHaveLength(10);
    test.clock.advance(minute);
    expect((await register(owner, key, "security key")).recoveryCodes).toBeUndefined();
    const listed = await test.call<{ items: { id: string; name: string }[]; recoveryCodes: number }>("second-factors.list", {}, owner.credentials);
    expect(listed).toMatchObject({ items: [{ id: laptop.id, name: "laptop" }, { id: key.id, name: "security key" }], recoveryCodes: 10 });
    expect(await test.outcomeOf("sessions.create", { name: owner.name, password: owner.password })).toBe("second-factor-needed");
    expect((await optionsOf("second-factors.begin-passkey", owner.credentials))["excludeCredentials"]).toHaveLength(2);
  });

  it.each([
    ["a page of another origin", { origin: "https://qinfra.example.evil.test" }],
    ["another domain", { rpId: "evil.test" }],
    ["nobody present", { flags: 0 }],
  ])("given %s, then it is refused, and the challenge is spent", async (_case, more) => {
    const owner = await person();
    const authenticator = simulatedAuthenticator(at);
    const options = await optionsOf("second-factors.begin-passkey", owner.credentials);
    const add = (credential: object) => test.outcomeOf("second-factors.add-passkey", { name: "x", credential }, owner.credentials);
    expect(await add(authenticator.create(options, more))).toBe("passkey-refused");
    expect(await add(authenticator.create(options))).toBe("passkey-refused");
  });

  it("given a challenge that is late, of somebody else, or of a confirmation, then it is refused", async () => {
    const [owner, other] = [await person(), await person()];
    const authenticator = simulatedAuthenticator(at);
    const add = (who: Owner, options: object) => test.outcomeOf("second-factors.add-passkey", { name: "x", credential: authenticator.create(options) }, who.credentials);
    expect(await add(owner, await optionsOf("second-factors.begin-passkey", other.credentials))).toBe("passkey-refused");
    const late = await optionsOf("second-factors.begin-passkey", owner.credentials);
    test.clock.advance(5 * minute);
    expect(await add(owner, late)).toBe("passkey-refused");
    await register(owner, simulatedAuthenticator(at));
    expect(await add(owner, await optionsOf("sessions.begin-confirmation", owner.credentials))).toBe("passkey-refused");
    expect(await add(owner, { challenge: "AAAA" })).toBe("passkey-refused");
    expect(await test.outcomeOf("second-factors.add-passkey", { name: "x", credential: { ...authenticator.create(late), response: { clientDataJSON: "bm8", attestationObject: "bm8" } } }, owner.credentials)).toBe("passkey-refused");
  });

  it("given a passkey of somebody else, then nobody takes it over", async () => {
    const [owner, thief] = [await person(), await person()];
    const authenticator = simulatedAuthenticator(at);
    await register(owner, authenticator);
    const options = await optionsOf("second-factors.begin-passkey", thief.credentials);
    expect(await test.outcomeOf("second-factors.add-passkey", { name: "x", credential: authenticator.create(options) }, thief.credentials)).toBe("passkey-exists");
  });
});

describe("using", () => {
  it("given what it signed, then the session is confirmed, once", async () => {
    const owner = await person();
    const authenticator = simulatedAuthenticator(at);
    await register(owner, authenticator);
    test.clock.advance(6 * minute);
    expect(await test.outcomeOf("second-factors.remove", { id: authenticator.id }, owner.credentials)).toBe("confirmation-needed");
    const options = await optionsOf("sessions.begin-confirmation", owner.credentials);
    expect(options["allowCredentials"]).toMatchObject([{ id: authenticator.id }]);
    const signed = authenticator.get(options);
    expect(await confirm(owner, signed)).toBe("ok");
    expect(await confirm(owner, signed)).toBe("passkey-refused");
    expect(await test.call("second-factors.remove", { id: authenticator.id }, owner.credentials)).toEqual({ id: authenticator.id, left: 0 });
    expect(await confirm(owner, authenticator.get(options))).toBe("passkey-refused");
    expect(await test.outcomeOf("sessions.begin-confirmation", {}, owner.credentials)).toBe("no-second-factor");
  });

  it("given user verification is not done, then it still counts: it is preferred, not asked", async () => {
    const owner = await person();
    const authenticator = simulatedAuthenticator(at);
    await register(owner, authenticator);
    expect(await confirm(owner, authenticator.get(await optionsOf("sessions.begin-confirmation", owner.credentials), { flags: 1 }))).toBe("ok");
  });

  it("given a counter that goes back, then it is refused: there is a copy of the key", async () => {
    const owner = await person();
    const authenticator = simulatedAuthenticator(at);
    await register(owner, authenticator);
    const use = async () => confirm(owner, authenticator.get(await optionsOf("sessions.begin-confirmation", owner.credentials)));
    for (const [before, outcome] of [[9, "ok"], [10, "ok"], [10, "passkey-refused"], [4, "passkey-refused"], [11, "ok"]] as const) {
      authenticator.counter = before; // and one more with the use
      expect([before, await use()]).toEqual([before, outcome]);
    }
  });

  it("given the passkey of somebody else, another origin, or a signature that is changed, then it is refused", async () => {
    const [owner, other] = [await person(), await person()];
    const [mine, theirs] = [simulatedAuthenticator(at), simulatedAuthenticator(at)];
    await register(owner, mine);
    await register(other, theirs);
    const options = () => optionsOf("sessions.begin-confirmation", owner.credentials);
    expect(await confirm(owner, theirs.get(await options()))).toBe("passkey-refused");
    expect(await confirm(owner, { ...theirs.get(await options()), id: mine.id, rawId: mine.id })).toBe("passkey-refused");
    expect(await confirm(owner, mine.get(await options(), { origin: "http://qinfra.example" }))).toBe("passkey-refused");
    const signed = mine.get(await options());
    expect(await confirm(owner, { ...signed, response: { ...signed.response, signature: mine.get(await options()).response.signature } })).toBe("passkey-refused");
    expect(await confirm(other, mine.get(await optionsOf("sessions.begin-confirmation", other.credentials)))).toBe("passkey-refused");
  });
});

describe("the domain of passkeys", () => {
  it.each([
    ["https://qinfra.example.org", { id: "qinfra.example.org", origin: "https://qinfra.example.org" }],
    ["https://qinfra.example.org:8443", { id: "qinfra.example.org", origin: "https://qinfra.example.org:8443" }],
    ["http://127.0.0.1:8080", { id: "localhost", origin: "http://localhost:8080" }],
    ["http://[::1]:8080", { id: "localhost", origin: "http://localhost:8080" }],
    ["https://192.0.2.7", undefined],
    ["https://[2001:db8::7]", undefined],
  ])("given %s, then it is %j", (publicUrl, party) => {
    expect(relyingParty(publicUrl)).toEqual(party);
  });
});

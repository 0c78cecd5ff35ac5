import { randomBytes } from "node:crypto";
import {
  generateAuthenticationOptions, generateRegistrationOptions, verifyAuthenticationResponse, verifyRegistrationResponse,
  type AuthenticationResponseJSON, type PublicKeyCredentialCreationOptionsJSON, type PublicKeyCredentialRequestOptionsJSON, type RegistrationResponseJSON,
} from "@simplewebauthn/server";
import { COSEALG, decodeClientDataJSON } from "@simplewebauthn/server/helpers";
import type { Static } from "typebox";
import { timestamp, type Clock } from "../../../platform/clock.ts";
import type { Db } from "../../../platform/database/database.ts";
import { fail } from "../../../platform/errors.ts";
import { tokenHash } from "../../../platform/identity/tokens.ts";
import { faultsAgainst } from "../../../platform/operation/validate.ts";
import { PasskeyRefused, PasskeysUnavailable } from "../errors.ts";
import { usePasskey, type NewPasskey } from "../second-factor-store.ts";
import { passkeysOf } from "../second-factor-views.ts";
import { insertSingleUse, renewSingleUse, takeSingleUse, type SingleUse } from "../single-use-store.ts";
import { issuerName } from "./names.ts";
import { UsedCredential, type CreatedCredential } from "./schemas.ts";
import { relyingParty, type RelyingParty } from "./relying-party.ts";

/** What passkeys need; a `PrepareContext` of an operation on the system's door is one. */
export interface PasskeyPorts {
  transaction<T>(work: (db: Db) => Promise<T>): Promise<T>;
  clock: Clock;
  publicUrl: string;
}

/** What a challenge was handed out for: one for a confirmation registers nothing, and the other way round. */
type Use = "register" | "confirm";

export const challengeMs = 5 * 60_000;
const challengeBytes = 32;
/** What every authenticator offers one of. */
const supportedAlgorithmIDs = [COSEALG.EdDSA, COSEALG.ES256, COSEALG.RS256];

/** What `navigator.credentials.create` takes, as JSON. Errors: PasskeysUnavailable. */
export async function passkeyCreation(ports: PasskeyPorts, person: { userId: string; name: string; displayName: string }): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { id } = partyOf(ports);
  const known = await ports.transaction((db) => passkeysOf(db, person.userId));
  return generateRegistrationOptions({
    rpName: issuerName, rpID: id, userName: person.name, userDisplayName: person.displayName, userID: bytesOfUuid(person.userId),
    challenge: await newChallenge(ports, person.userId, "register"), timeout: challengeMs, attestationType: "none", supportedAlgorithmIDs,
    excludeCredentials: known.map(describe), authenticatorSelection: { residentKey: "preferred", userVerification: "preferred" },
  });
}

/** The new passkey that an authenticator made of those options. Errors: PasskeyRefused, PasskeysUnavailable. */
export async function createdPasskey(ports: PasskeyPorts, userId: string, credential: Static<typeof CreatedCredential>): Promise<NewPasskey> {
  const response = { ...credential, clientExtensionResults: {} } as RegistrationResponseJSON;
  const { id, origin } = partyOf(ports);
  const expectedChallenge = await takeChallenge(ports, userId, "register", response.response.clientDataJSON);
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response, expectedChallenge, expectedOrigin: origin, expectedRPID: id, requireUserVerification: false, supportedAlgorithmIDs,
  }).catch(refused);
  if (!verified) fail(PasskeyRefused, "The signature of the passkey is not right; begin again.");
  const { credential: made, credentialBackedUp } = registrationInfo;
  return {
    id: Buffer.from(made.id, "base64url"), publicKey: Buffer.from(made.publicKey), counter: made.counter,
    transports: made.transports ?? [], backedUp: credentialBackedUp,
  };
}

/**
 * What `navigator.credentials.get` takes, as JSON; undefined where the person has no passkey, or none works at this address.
 * `kept` is the challenge that was asked for before, which goes on while it is not spent.
 */
export async function passkeyRequest(ports: PasskeyPorts, userId: string, kept?: string): Promise<PublicKeyCredentialRequestOptionsJSON | undefined> {
  const party = relyingParty(ports.publicUrl);
  const known = party === undefined ? [] : await ports.transaction((db) => passkeysOf(db, userId));
  if (party === undefined || known.length === 0) return undefined;
  return generateAuthenticationOptions({
    rpID: party.id, challenge: (await renewedChallenge(ports, userId, kept)) ?? (await newChallenge(ports, userId, "confirm")), timeout: challengeMs, userVerification: "preferred", allowCredentials: known.map(describe),
  });
}

/**
 * Checks what an authenticator signed for those options, for this person; `credential` may be anything. A counter that goes back is refused: somebody
 * has a copy of the key. The caller counts attempts. Errors: PasskeyRefused, PasskeysUnavailable.
 */
export async function verifyPasskey(ports: PasskeyPorts, userId: string, credential: unknown): Promise<void> {
  const [fault] = faultsAgainst(UsedCredential, credential);
  if (fault !== undefined) fail(PasskeyRefused, `What the browser sent is no answer of a passkey (${fault.path} ${fault.message}); try again.`);
  const response = { ...(credential as Static<typeof UsedCredential>), clientExtensionResults: {} } as AuthenticationResponseJSON;
  const { id, origin } = partyOf(ports);
  const passkey = (await ports.transaction((db) => passkeysOf(db, userId))).find((known) => known.id.toString("base64url") === response.id);
  if (passkey === undefined) fail(PasskeyRefused, "This passkey is not registered for you here; use another.");
  const expectedChallenge = await takeChallenge(ports, userId, "confirm", response.response.clientDataJSON);
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response, expectedChallenge, expectedOrigin: origin, expectedRPID: id, requireUserVerification: false,
    credential: { id: response.id, publicKey: Uint8Array.from(passkey.public_key), counter: passkey.counter },
  }).catch(refused);
  if (!verified) fail(PasskeyRefused, "The signature of the passkey is not right; try again.");
  const use = { userId, id: passkey.id, counter: authenticationInfo.newCounter, at: timestamp(ports.clock) };
  if (!(await ports.transaction((db) => usePasskey(db, use)))) fail(PasskeyRefused, "This passkey was used elsewhere at the same time; try again.");
}

function partyOf({ publicUrl }: PasskeyPorts): RelyingParty {
  return relyingParty(publicUrl) ?? fail(PasskeysUnavailable, `Passkeys are bound to a domain, and people reach this platform at an address (${publicUrl}). Set PUBLIC_URL to one with a name.`);
}

async function newChallenge({ transaction, clock }: PasskeyPorts, userId: string, use: Use): Promise<Uint8Array<ArrayBuffer>> {
  const challenge = Uint8Array.from(randomBytes(challengeBytes));
  const row = challengeRow(clock, userId, use, Buffer.from(challenge).toString("base64url"));
  await transaction((db) => insertSingleUse(db, row));
  return challenge;
}

async function renewedChallenge({ transaction, clock }: PasskeyPorts, userId: string, challenge: string | undefined): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (challenge === undefined) return undefined;
  const row = challengeRow(clock, userId, "confirm", challenge);
  return (await transaction((db) => renewSingleUse(db, row))) ? Uint8Array.from(Buffer.from(challenge, "base64url")) : undefined;
}

function challengeRow(clock: Clock, userId: string, use: Use, challenge: string): SingleUse {
  return { hash: challengeHash(use, challenge), purpose: "webauthn", userId, at: timestamp(clock), expiresAt: new Date(clock.now() + challengeMs).toISOString() };
}

/** The challenge that was answered, which is spent by it, right or wrong. */
async function takeChallenge({ transaction, clock }: PasskeyPorts, userId: string, use: Use, clientDataJSON: string): Promise<string> {
  const challenge = challengeOf(clientDataJSON);
  const owner = await transaction((db) => takeSingleUse(db, { hash: challengeHash(use, challenge), purpose: "webauthn", at: timestamp(clock) }));
  if (owner !== userId) fail(PasskeyRefused, "The challenge was answered before, is older than five minutes, or was another's; begin again.");
  return challenge;
}

function challengeOf(clientDataJSON: string): string {
  try {
    return String(decodeClientDataJSON(clientDataJSON).challenge);
  } catch {
    fail(PasskeyRefused, "What the browser sent is no answer of a passkey (clientDataJSON cannot be read); begin again.");
  }
}

function challengeHash(use: Use, challenge: string): Buffer {
  return tokenHash(`${use} ${challenge}`);
}

function describe({ id, transports }: { id: Buffer; transports: string[] }): { id: string; transports: string[] } {
  return { id: id.toString("base64url"), transports };
}

/** The library says what of the answer is wrong, in an Error of no kind of its own. */
function refused(error: unknown): never {
  fail(PasskeyRefused, `What the passkey signed is not accepted: ${(error as Error).message.slice(0, 300)}.`);
}

function bytesOfUuid(uuid: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(uuid.replaceAll("-", ""), "hex"));
}

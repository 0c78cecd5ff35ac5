import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import { DeclaredError, fail } from "../errors.ts";
import { createLru } from "../identity/lru.ts";
import type { IdentityStore, KeyEngine, WrappedKey } from "./engine.ts";
import { openEngineEnvelope, parseEngineEnvelope, sealEngineEnvelope, type EngineEnvelope } from "./engine-envelope.ts";
import { checkKind, foreignEnvelope } from "./envelope.ts";
import { deriveFrom, newIdentity, signing, withNextSigner, type PlatformIdentity } from "./identity.ts";
import { EnvelopeInvalid, KeyFileMissing, SecretsUnavailable, type EnvelopeKind, type OpenedSecrets, type Random, type SecretContext } from "./types.ts";

export interface EngineSecretsOptions {
  engine: KeyEngine;
  store: IdentityStore;
  /** True once anything was sealed or signed: a missing identity is then lost, not new. */
  dataExists: boolean;
  /** What a new identity is made of, when a platform moves here from another adapter. */
  identity?: PlatformIdentity;
  clock: Clock;
  random?: Random;
}

interface SealingKey extends WrappedKey {
  key: Buffer;
  madeAt: number;
  uses: number;
}

const mostSealing = 1_000;
const mostOpened = 10_000;
/** A key seals for so long and so often, and is then replaced; random nonces would be safe for 2^32 uses. */
const sealingMs = 3_600_000;
const sealingUses = 1_048_576;
const identityMs = 60_000;
const healthMs = 5_000;

/**
 * The secrets port over keys of another system. The engine wraps one key for each context (purpose and organization),
 * which then seals here: no call a value, none inside a transaction but the first of an organization, and while the
 * engine is away what was opened before goes on working. Errors: SecretsUnavailable, KeyFileMissing.
 */
export async function openEngineSecrets(options: EngineSecretsOptions): Promise<OpenedSecrets> {
  const { engine, store, clock, random = randomBytes } = options;
  let sealing = createLru<SealingKey>(mostSealing);
  const opened = createLru<Buffer>(mostOpened);
  const underway = new Map<string, Promise<unknown>>();
  let { identity, version } = await loadOrCreate(options);
  let loadedAt = clock.now();
  let current: { keyId: string; at: number } | undefined;
  let checked: { at: number; health: Promise<string> } | undefined;

  /** Callers that ask for the same thing at once share one call. */
  function once<T>(name: string, work: () => Promise<T>): Promise<T> {
    const running = underway.get(name) as Promise<T> | undefined;
    if (running !== undefined) return running;
    const begun = work().finally(() => underway.delete(name));
    underway.set(name, begun);
    return begun;
  }

  /** With `keyId` one that the engine's key of that id wrapped, or a newer one. */
  async function sealingKey(context: SecretContext, keyId?: string): Promise<SealingKey> {
    const name = contextName(context);
    const known = sealing.get(name, clock.now());
    const other = known !== undefined && keyId !== undefined && known.keyId !== keyId;
    if (known !== undefined && !other && clock.now() - known.madeAt < sealingMs && known.uses < sealingUses) return known;
    return once(`generate ${name}`, async () => {
      try {
        const made = { ...(await engine.generate(context)), madeAt: clock.now(), uses: 0 };
        sealing.set(name, made, Infinity);
        opened.set(openedName(made, context), made.key, Infinity);
        return made;
      } catch (error) {
        if (known !== undefined && !other && known.uses < sealingUses * 2 && error instanceof DeclaredError && error.type === SecretsUnavailable) return known;
        throw error;
      }
    });
  }

  async function conceal(kind: EnvelopeKind, plaintext: Uint8Array, context: SecretContext, keyId?: string): Promise<string> {
    const key = await sealingKey(context, keyId);
    key.uses++;
    return sealEngineEnvelope(kind, engine.name, key, plaintext, context, random);
  }

  function openingKey(envelope: EngineEnvelope, context: SecretContext): Promise<Buffer> | Buffer {
    const name = openedName(envelope, context);
    return opened.get(name, clock.now()) ?? once(`unwrap ${name}`, async () => {
      const key = await engine.unwrap(envelope, context);
      opened.set(name, key, Infinity);
      return key;
    });
  }

  async function reveal(text: string, context: SecretContext, expected?: EnvelopeKind): Promise<{ envelope: EngineEnvelope; plaintext: Buffer }> {
    const envelope = parseEngineEnvelope(text);
    if (expected !== undefined) checkKind(envelope.kind, expected);
    if (envelope.engine !== engine.name) fail(EnvelopeInvalid, foreignEnvelope);
    return { envelope, plaintext: openEngineEnvelope(envelope, await openingKey(envelope, context), context) };
  }

  async function currentKeyId(): Promise<string> {
    if (current === undefined || clock.now() - current.at >= healthMs) current = { keyId: await engine.current(), at: clock.now() };
    return current.keyId;
  }

  /** Another process may have made a new signing key. Nobody waits: signatures are checked against what is known. */
  function freshIdentity(): PlatformIdentity {
    if (clock.now() - loadedAt >= identityMs) {
      loadedAt = clock.now();
      once("identity", () => store.load()).then((found) => {
        if (found !== undefined && found.identity.root === identity.root) ({ identity, version } = found);
      }, () => undefined);
    }
    return identity;
  }

  return {
    seal: (plaintext, context) => conceal("sealed", plaintext, context),
    open: async (envelope, context) => (await reveal(envelope, context, "sealed")).plaintext,
    async createDataKey(context) {
      const key = Buffer.from(random(32));
      return { key, wrapped: await conceal("key", key, context) };
    },
    unwrap: async (wrapped, context) => (await reveal(wrapped, context, "key")).plaintext,
    async rewrap(text, context) {
      const { envelope, plaintext } = await reveal(text, context);
      const keyId = await currentKeyId();
      if (envelope.keyId === keyId) return text;
      return conceal(envelope.kind, plaintext, context, keyId);
    },
    async rotate() {
      const keyId = await engine.rotate();
      current = { keyId, at: clock.now() };
      sealing = createLru<SealingKey>(mostSealing);
      await store.renew?.();
      return { keyId };
    },
    derive: (purpose) => deriveFrom(identity.root, purpose),
    ...signing(() => freshIdentity().signing),
    async rotateSigner() {
      for (let attempt = 0; attempt < 3; attempt++) {
        const found = await store.load();
        if (found === undefined) break;
        const next = { ...found.identity, signing: withNextSigner(found.identity.signing, clock, random) };
        if (!(await store.replace(next, found.version))) continue;
        ({ identity, version } = (await store.load()) ?? { identity: next, version });
        return { keyId: next.signing.current };
      }
      return fail(SecretsUnavailable, `The signing keys in ${store.describe} are being changed by another process, or are gone. Try again.`);
    },
    health() {
      if (checked === undefined || clock.now() - checked.at >= healthMs) {
        checked = { at: clock.now(), health: engine.check().then(() => "ok", (error: unknown) => `${(error as Error).message} Keys that were opened before go on working; those of new organizations do not.`) };
      }
      return checked.health;
    },
    close: () => engine.close(),
    identity: () => identity,
    renew: async () => store.renew?.(),
    mayHold: (envelope) => new RegExp(`^q[sk]2\\.${engine.name}\\.`).test(envelope),
    async reveal(envelope, context) {
      const found = await reveal(envelope, context);
      return { kind: found.envelope.kind, plaintext: found.plaintext };
    },
    conceal: (kind, plaintext, context) => conceal(kind, plaintext, context),
  };
}

async function loadOrCreate({ store, dataExists, identity, clock, random = randomBytes }: EngineSecretsOptions): Promise<{ identity: PlatformIdentity; version: string }> {
  const there = await store.load();
  if (there !== undefined) {
    if (identity !== undefined && identity.root !== there.identity.root) fail(KeyFileMissing, `${store.describe} belongs to another platform. Name an empty place for this one.`);
    return there;
  }
  if (dataExists && identity === undefined) {
    fail(KeyFileMissing, `${store.describe} is missing, and there is data that only it can open. Restore it, correct SECRETS_URL, or move the keys there: qinfra keys rewrap --from THE-URL-OF-BEFORE`);
  }
  await store.create(identity ?? newIdentity(clock, random));
  const made = await store.load();
  if (made === undefined) fail(SecretsUnavailable, `${store.describe} was written and is not there. See that nothing removes it.`);
  return made;
}

function contextName({ purpose, org }: SecretContext): string {
  return JSON.stringify([purpose, org ?? null]);
}

function openedName({ keyId, wrapped }: WrappedKey, context: SecretContext): string {
  return `${keyId} ${wrapped.toString("base64url")} ${contextName(context)}`;
}

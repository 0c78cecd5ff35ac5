import { generateKeyPair as generate } from "node:crypto";
import { promisify } from "node:util";
import { errors, importJWK, type CryptoKey, type JWK, type JWTVerifyGetKey } from "jose";
import { timestamp, type Clock } from "../../../platform/clock.ts";
import type { Database, Db } from "../../../platform/database/database.ts";
import type { Ids } from "../../../platform/ids.ts";
import type { Secrets } from "../../../platform/secrets/types.ts";
import { lockProviderKeys, providerKeys, putProviderKey } from "./key-store.ts";

/** JWS algorithm of everything that the provider signs: ECDSA on P-256. */
export const providerAlgorithm = "ES256";

export interface KeySet {
  /** Changes with the set. */
  version: string;
  /** Private JWKs (RFC 7517), the newest first: it signs. */
  keys: readonly JWK[];
}

/** The signing keys of the embedded provider, shared by all servers through the database. */
export interface ProviderKeys {
  current(): Promise<KeySet>;
  /** The public key of an ID token's `kid`, for jose. */
  verification: JWTVerifyGetKey;
  /** Adds a key, which signs from now on. The older ones verify until what they signed is over. */
  rotate(): Promise<{ keyId: string }>;
}

/** A key signs this long at most. */
const lifetimeMs = 90 * 24 * 3_600_000;
/** Longer than anything lives that a key of the provider has signed, clocks that differ included. */
const retiresMs = 24 * 3_600_000;
/** How soon a server signs with a key that another one made. */
const staleMs = 30_000;
/** A made-up `kid` is looked for this often at most. */
const cooldownMs = 1_000;
const sealedFor = { purpose: "oidc-key" };

export function createProviderKeys(ports: { database: Database; secrets: Pick<Secrets, "seal" | "open">; clock: Clock; ids: Ids }): ProviderKeys {
  const { database, secrets, clock, ids } = ports;
  const opened = new Map<string, JWK>();
  const imported = new Map<string, CryptoKey | Uint8Array>();
  let known: KeySet | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<KeySet> | undefined;

  async function read(): Promise<KeySet> {
    let rows = await database.system((db) => providerKeys(db, timestamp(clock)));
    if (isDue(rows)) {
      await add({ onlyIfDue: true });
      rows = await database.system((db) => providerKeys(db, timestamp(clock)));
    }
    const keys: JWK[] = [];
    for (const { id, sealed } of rows) {
      const key = opened.get(id) ?? (JSON.parse((await secrets.open(sealed, sealedFor)).toString("utf8")) as JWK);
      opened.set(id, key);
      keys.push(key);
    }
    for (const id of opened.keys()) if (!rows.some((row) => row.id === id)) opened.delete(id);
    known = { version: rows.map((row) => row.id).join(" "), keys };
    readAt = clock.now();
    return known;
  }

  /** Servers and requests that ask at once are answered by one reading. */
  function fresh(maxAgeMs: number): Promise<KeySet> {
    if (known !== undefined && clock.now() - readAt < maxAgeMs) return Promise.resolve(known);
    reading ??= read().finally(() => (reading = undefined));
    return reading;
  }

  function isDue([newest]: readonly { created_at: Date }[]): boolean {
    return newest === undefined || newest.created_at.getTime() + lifetimeMs <= clock.now();
  }

  async function add({ onlyIfDue }: { onlyIfDue: boolean }): Promise<string> {
    const key = await newProviderKey(secrets, ids.uuid());
    await database.system(async (db) => {
      await lockProviderKeys(db);
      if (onlyIfDue && !isDue(await providerKeys(db, timestamp(clock)))) return;
      await storeProviderKey(db, clock, key);
    });
    return key.id;
  }

  return {
    current: () => fresh(staleMs),
    async verification({ kid }) {
      const find = ({ keys }: KeySet): JWK | undefined => keys.find((key) => key.kid === kid);
      const jwk = find(await fresh(staleMs)) ?? find(await fresh(cooldownMs));
      if (jwk === undefined) throw new errors.JWKSNoMatchingKey();
      const id = jwk.kid as string;
      const key = imported.get(id) ?? (await importJWK(publicPart(jwk), providerAlgorithm));
      if (imported.size > 100) imported.clear();
      imported.set(id, key);
      return key;
    },
    async rotate() {
      const keyId = await add({ onlyIfDue: false });
      readAt = Number.NEGATIVE_INFINITY;
      return { keyId };
    },
  };
}

export interface SealedKey {
  id: string;
  /** An envelope of the private JWK. */
  sealed: string;
}

export async function newProviderKey(secrets: Pick<Secrets, "seal">, id: string): Promise<SealedKey> {
  const { privateKey } = await promisify(generate)("ec", { namedCurve: "P-256" });
  const jwk = { ...(privateKey.export({ format: "jwk" }) as JWK), kid: id, alg: providerAlgorithm, use: "sig" };
  return { id, sealed: await secrets.seal(Buffer.from(JSON.stringify(jwk)), sealedFor) };
}

/** The key signs from now on; the ones before it verify for a day. */
export async function storeProviderKey(db: Db, clock: Clock, key: SealedKey): Promise<void> {
  await putProviderKey(db, { ...key, at: timestamp(clock), retiresAt: new Date(clock.now() + retiresMs).toISOString() });
}

function publicPart({ d: _private, ...jwk }: JWK): JWK {
  return jwk;
}

import { AsyncLocalStorage } from "node:async_hooks";
import { createHmac, timingSafeEqual } from "node:crypto";
import { errors, type Adapter, type AdapterFactory, type AdapterPayload } from "oidc-provider";
import { timestamp, type Clock } from "../../../platform/clock.ts";
import type { Database, Db } from "../../../platform/database/database.ts";
import { DeclaredError } from "../../../platform/errors.ts";
import { tokenHash } from "../../../platform/identity/tokens.ts";
import {
  consumePayload, deletePayload, deletePayloadsOfGrant, payloadById, payloadByUid, payloadByUserCode, putPayload, type Payload, type PayloadRow,
} from "./payload-store.ts";

export interface AdapterPorts {
  database: Database;
  clock: Clock;
  /** Signs references, so that nobody makes one from what the database holds. */
  referenceKey: Uint8Array;
}

/**
 * Keeps what the provider keeps in `organizations.oidc_payloads`. Ids are tokens and cookie values, so that the database
 * holds their SHA-256 only, and neither the payload nor another row repeats them. What is found by another way than its id
 * goes by a reference in its place: the hash with a signature, which lets the process itself save it again.
 */
export function createAdapter({ database, clock, referenceKey }: AdapterPorts): AdapterFactory {
  function signature(model: string, hash: Buffer): Buffer {
    return createHmac("sha256", referenceKey).update(`${model} `).update(hash).digest();
  }

  function referenceTo(model: string, hash: Buffer): string {
    return `${mark}${hash.toString("base64url")}.${signature(model, hash).toString("base64url")}`;
  }

  function hashOf(model: string, id: string): Buffer {
    if (!id.startsWith(mark)) return tokenHash(id);
    const [hash, given] = id.slice(mark.length).split(".").map((part) => Buffer.from(part, "base64url"));
    const expected = hash === undefined ? undefined : signature(model, hash);
    if (hash !== undefined && given !== undefined && expected?.length === given.length && timingSafeEqual(expected, given)) return hash;
    return tokenHash(id);
  }

  function stored(model: string, id: string, payload: AdapterPayload): Payload {
    const { jti: _id, userCode: _code, ...kept } = payload as Payload;
    if (model !== "Interaction") return kept;
    const { deviceCode, session, returnTo } = kept as { deviceCode?: string; session?: Payload; returnTo?: string };
    const { cookie: _cookie, ...rest } = session ?? {};
    return {
      ...kept,
      ...(session !== undefined && { session: rest }),
      ...(returnTo?.endsWith(id) === true && { returnTo: returnTo.slice(0, -id.length) }),
      ...(deviceCode !== undefined && { deviceCode: hashOf("DeviceCode", deviceCode).toString("base64url") }),
    };
  }

  function restored(model: string, row: PayloadRow | undefined, more: { jti: string; userCode?: string }): AdapterPayload | undefined {
    if (row === undefined) return undefined;
    if (model === "Client") return row.payload;
    const { deviceCode, returnTo } = row.payload as { deviceCode?: string; returnTo?: string };
    return {
      ...row.payload, ...more,
      ...(returnTo?.endsWith("/") === true && { returnTo: returnTo + more.jti }),
      ...(model === "Interaction" && deviceCode !== undefined && { deviceCode: referenceTo("DeviceCode", Buffer.from(deviceCode, "base64url")) }),
      ...(row.consumed_at !== null && { consumed: Math.floor(row.consumed_at.getTime() / 1000) }),
    } as AdapterPayload;
  }

  /** A device that asks again after its time is told so, and not that nothing is known of it. */
  function notBefore(model: string): string {
    return new Date(clock.now() - (model === "DeviceCode" ? deviceGraceMs : 0)).toISOString();
  }

  return (model): Adapter => guarded({
    async upsert(id, payload, expiresIn) {
      const { grantId, userCode, uid } = payload;
      const hash = (value: string | undefined): Buffer | null => (value === undefined ? null : tokenHash(value));
      const put = (db: Db): Promise<void> => putPayload(db, {
        model, id: hashOf(model, id), payload: stored(model, id, payload), grantId: hash(grantId), userCode: hash(userCode), uid: hash(uid),
        expiresAt: expiresIn === undefined ? null : new Date(clock.now() + expiresIn * 1000).toISOString(),
      });
      const within = transactions.getStore();
      await (within === undefined ? database.system(put) : put(within));
    },
    async find(id) {
      const row = await database.lookup((db) => payloadById(db, model, hashOf(model, id), notBefore(model)));
      return restored(model, row, { jti: id });
    },
    async findByUserCode(userCode) {
      const row = await database.lookup((db) => payloadByUserCode(db, model, tokenHash(userCode), notBefore(model)));
      return row && restored(model, row, { jti: referenceTo(model, row.id), userCode });
    },
    async findByUid(uid) {
      const row = await database.lookup((db) => payloadByUid(db, model, tokenHash(uid), notBefore(model)));
      return row && restored(model, row, { jti: referenceTo(model, row.id) });
    },
    async consume(id) {
      const first = await database.system((db) => consumePayload(db, model, hashOf(model, id), timestamp(clock)));
      if (!first) throw new errors.InvalidGrant("it was used before");
    },
    async destroy(id) {
      await database.system((db) => deletePayload(db, model, hashOf(model, id)));
    },
    async revokeByGrantId(grantId) {
      await database.system((db) => deletePayloadsOfGrant(db, model, tokenHash(grantId)));
    },
  });
}

const transactions = new AsyncLocalStorage<Db>();

/** What the provider saves while `work` runs is kept in this transaction: its models know of none. */
export function keptIn<T>(db: Db, work: () => Promise<T>): Promise<T> {
  return transactions.run(db, work);
}

/** The provider tells its caller of errors of its own kind only. */
function guarded(adapter: Adapter): Adapter {
  const methods = Object.entries(adapter).map(([name, method]) => [name, async (...given: unknown[]) => {
    try {
      return await (method as (...given: unknown[]) => Promise<unknown>)(...given);
    } catch (error) {
      if (!(error instanceof DeclaredError) || error.type.status !== 503) throw error;
      throw new Unavailable(error);
    }
  }]);
  return Object.fromEntries(methods) as unknown as Adapter;
}

/** RFC 6749, 4.1.2.1. */
class Unavailable extends errors.OIDCProviderError {
  constructor(cause: DeclaredError) {
    super(cause.type.status, "temporarily_unavailable");
    this.error_description = cause.message;
    this.cause = cause;
  }
}

const mark = "ref.";

/** Expired rows are kept at least this long. */
export const deviceGraceMs = 10 * 60_000;

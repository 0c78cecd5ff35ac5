import { timestamp, type Clock } from "../clock.ts";
import type { Db } from "../database/database.ts";
import { sql } from "../database/sql.ts";
import { Conflict, fail, IdempotencyMismatch } from "../errors.ts";
import { canonicalJson, sha256 } from "./canonical.ts";

/** A key counts for one organization, actor and operation; `inputHash` is of the input that it came with. */
export interface IdempotencyScope {
  orgId: string;
  actorId: string;
  operation: string;
  key: string;
  /** SHA-256 of the canonical input. */
  inputHash: Buffer;
}

export function hashOfInput(input: unknown): Buffer {
  return sha256(canonicalJson(input));
}

/** The answer of an earlier call with this key, or undefined where it is new; another input under the same key is refused. */
export async function replayOf(db: Db, scope: IdempotencyScope): Promise<unknown> {
  const row = await db.maybe<{ input_hash: Buffer; response: unknown }>(sql`
    select input_hash, response from platform.idempotency_keys
    where org_id = ${scope.orgId} and actor_id = ${scope.actorId} and operation = ${scope.operation} and key = ${scope.key}`);
  if (row === undefined) return undefined;
  if (!row.input_hash.equals(scope.inputHash)) {
    fail(IdempotencyMismatch, "This idempotency key was used with another input; use a new key for a new request.");
  }
  return row.response;
}

/** Keeps the answer in the transaction of the change. A call with the same key that is still running loses here. */
export async function rememberAnswer(db: Db, scope: IdempotencyScope, response: unknown, clock: Clock): Promise<void> {
  const kept = await db.run(sql`
    insert into platform.idempotency_keys (org_id, actor_id, operation, key, input_hash, response, created_at)
    values (${scope.orgId}, ${scope.actorId}, ${scope.operation}, ${scope.key}, ${scope.inputHash}, ${JSON.stringify(response)}, ${timestamp(clock)})
    on conflict do nothing`);
  if (kept === 0) fail(Conflict, "A request with the same idempotency key ran at the same time; repeat it to get its answer.");
}

import type { Db } from "../../platform/database/database.ts";
import { eraseWordsOf } from "../../platform/approvals/index.ts";
import { eraseSubjectEverywhere } from "../../platform/events/index.ts";
import { userTypeId } from "./ids.ts";
import { erasedName, erasePersonRows } from "./person-store.ts";

export interface ErasedPerson {
  /** UUIDs of the organizations that the person was a member of. */
  organizations: string[];
  /** API keys and sessions that ended. */
  keys: number;
  sessions: number;
}

/**
 * Erases a person in the transaction of `db`, through the system's door: the keys of what events say about them, what
 * they sign in with, and every field of theirs. Events name people by id only, so that no chain changes; the id stays.
 */
export async function erasePerson(db: Db, userId: string, at: string): Promise<ErasedPerson> {
  const typeId = userTypeId(userId);
  const ids = [typeId, userId];
  await eraseSubjectEverywhere(db, ids);
  await eraseWordsOf(db, userId);
  return erasePersonRows(db, { userId, ids, name: erasedName(typeId), at });
}

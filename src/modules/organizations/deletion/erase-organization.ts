import { anonymous } from "../../../platform/actor.ts";
import { timestamp } from "../../../platform/clock.ts";
import type { Db } from "../../../platform/database/database.ts";
import type { Closing } from "../../../platform/events/index.ts";
import type { EventAppender } from "../../../platform/events/types.ts";
import { beginErasure, deleteOrganizationRow, finishErasure, noteErased, noteErasedRows } from "../deletion-store.ts";
import { deletionOf, membersOfNothingElse } from "../deletion-views.ts";
import { erasePerson } from "../erase-person.ts";
import { eraseRows, tablesOfOrganizations, tellEnded } from "../erasure-store.ts";
import { ErasureBegun, OrganizationErased, UserErased } from "../events.ts";
import type { Checkpoint } from "../event-data.ts";
import { orgTypeId, userTypeId } from "../ids.ts";
import type { ErasurePorts } from "./types.ts";

/** First what opens something, so that whatever comes late finds neither key nor entrance. */
const keys = ["platform.data_keys", "events.subject_keys"] as const;
const entrances = ["organizations.sessions", "organizations.api_keys", "organizations.invitations"] as const;

const mostRows = 5_000;
const mostPeople = 100;
/** Each takes what came while the one before was under way, which nobody can cause any more. */
const mostPasses = 20;

/** Erases an organization whose time is over. `ended` means that it has come to nothing because somebody restored it. */
export type Erasure = "erased" | "restored" | "not yet";

/**
 * Erases an organization, from wherever an earlier run was cut off: each step is a short transaction that does nothing
 * the second time. `lost`: another server may have gone on with it.
 */
export async function eraseOrganization(ports: ErasurePorts, orgId: string, lost: AbortSignal): Promise<Erasure> {
  const { database } = ports;
  const begun = await database.system((db) => deletionOf(db, orgId));
  if (begun?.state === "waiting") {
    const beginning = await begin(ports, orgId, begun.due_at);
    if (beginning !== "begun") return beginning;
  }
  await eraseTables(ports, orgId, keys, lost);
  await database.system((db) => tellEnded(db, orgId));
  for (const end of ports.onOrganizationEnded) await end(orgId);
  await eraseTables(ports, orgId, entrances, lost);
  await erasePeople(ports, orgId, lost);
  await eraseWhatIsLeft(ports, orgId, lost);
  await finish(ports, orgId);
  return "erased";
}

/** Rows and blobs that came after the end, of something that had begun before it. The number of rows. */
export async function eraseLateComers(ports: ErasurePorts, orgId: string, lost: AbortSignal): Promise<number> {
  await ports.blobs.removeAll(orgId);
  return eraseTables(ports, orgId, await ports.database.system(tablesOfOrganizations), lost);
}

const unsealedMs = 3_600_000;

/** The last signed checkpoint goes into the platform's chain before anything is removed. */
async function begin(ports: ErasurePorts, orgId: string, dueAt: Date): Promise<"begun" | "restored" | "not yet"> {
  const { clock, database } = ports;
  const closing = await ports.closeChain(orgId);
  // What was appended last is in the chain within a second; should it never get there, that is no reason to keep it all.
  if (closing.unsealed > 0 && clock.now() - dueAt.getTime() < unsealedMs) return "not yet";
  return database.system(async (db) => {
    const proof = proofOf(closing);
    if (!(await beginErasure(db, orgId, timestamp(clock), proof))) return "restored";
    await platformEvents(ports, db).append({ type: ErasureBegun, subject: orgTypeId(orgId), data: { organization: orgTypeId(orgId), ...proof } });
    return "begun";
  });
}

function proofOf({ seq, checkpoint }: Closing): { events: number; checkpoint?: Checkpoint } {
  if (checkpoint === undefined) return { events: seq };
  const { chainHash, signature, ...rest } = checkpoint;
  return { events: seq, checkpoint: { ...rest, chainHash: chainHash.toString("hex"), signature: signature.toString("base64") } };
}

async function eraseTables(ports: ErasurePorts, orgId: string, tables: readonly string[], lost: AbortSignal): Promise<number> {
  const { database, batchRows = mostRows } = ports;
  let all = 0;
  for (const table of tables) {
    for (let removed = batchRows; removed > 0; ) {
      lost.throwIfAborted();
      removed = await database.system(async (db) => {
        const rows = await eraseRows(db, orgId, table, batchRows);
        if (rows > 0) await noteErasedRows(db, orgId, table, rows);
        return rows;
      });
      all += removed;
    }
  }
  return all;
}

/** Nobody else has a reason to keep those who were members of nothing else. */
async function erasePeople(ports: ErasurePorts, orgId: string, lost: AbortSignal): Promise<void> {
  const { database, clock } = ports;
  for (;;) {
    const people = await database.system((db) => membersOfNothingElse(db, orgId, mostPeople));
    if (people.length === 0) return;
    for (const userId of people) {
      lost.throwIfAborted();
      await database.system(async (db) => {
        await erasePerson(db, userId, timestamp(clock));
        await noteErased(db, orgId, "people", 1);
        await platformEvents(ports, db).append({ type: UserErased, subject: userTypeId(userId), data: { with: orgTypeId(orgId) } });
      });
    }
  }
}

async function eraseWhatIsLeft(ports: ErasurePorts, orgId: string, lost: AbortSignal): Promise<void> {
  const { database } = ports;
  for (let pass = 0; pass < mostPasses; pass += 1) {
    const removed = await eraseTables(ports, orgId, await database.system(tablesOfOrganizations), lost);
    const blobs = await ports.blobs.removeAll(orgId);
    if (blobs > 0) await database.system((db) => noteErased(db, orgId, "blobs", blobs));
    if (removed + blobs === 0) return;
  }
  throw new Error(`something still writes rows or blobs of organization ${orgId}, which is being erased; it is tried again later`);
}

async function finish(ports: ErasurePorts, orgId: string): Promise<void> {
  const { database, clock, log } = ports;
  await database.system(async (db) => {
    const deletion = await deletionOf(db, orgId);
    if (deletion?.state !== "erasing") return;
    const { rows = {}, ...progress } = deletion.progress;
    const removed = Object.values(rows).reduce((sum, count) => sum + count, 0);
    await deleteOrganizationRow(db, orgId);
    await finishErasure(db, orgId, timestamp(clock));
    await platformEvents(ports, db).append({ type: OrganizationErased, subject: orgTypeId(orgId), data: { organization: orgTypeId(orgId), rows: removed, ...progress } });
    log.info({ orgId, rows: removed }, "an organization was erased");
  });
}

function platformEvents({ appender, ids, platformOrgId }: ErasurePorts, db: Db): EventAppender {
  return appender(db, {
    orgId: platformOrgId, actor: { ...anonymous, kind: "system", orgId: platformOrgId, platform: true },
    operation: "organizations.erase", requestId: ids.uuid(), door: "system",
  });
}

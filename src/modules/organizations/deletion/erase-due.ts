import type { Line } from "../../../platform/events/index.ts";
import { timestamp } from "../../../platform/clock.ts";
import { erasuresAt } from "../deletion-views.ts";
import { eraseLateComers, eraseOrganization } from "./erase-organization.ts";
import type { ErasurePorts } from "./types.ts";

const dayMs = 86_400_000;

/**
 * Erases every organization whose time is over, or whose erasure was cut off; one server at a time. What came late is
 * looked for during a day after. An organization that cannot be erased does not keep the others.
 */
export async function eraseDue(ports: ErasurePorts, line: Pick<Line, "tryLock">): Promise<void> {
  const { clock, database, log } = ports;
  const hold = await line.tryLock("organizations.erasure");
  if (hold === undefined) return;
  try {
    const times = { now: timestamp(clock), since: new Date(clock.now() - dayMs).toISOString() };
    for (const { organization, state } of await database.system((db) => erasuresAt(db, times))) {
      if (hold.lost.aborted) return;
      try {
        if (state !== "done") await eraseOrganization(ports, organization, hold.lost);
        else if ((await eraseLateComers(ports, organization, hold.lost)) > 0) log.warn({ orgId: organization }, "rows of an organization came after its end, and were removed");
      } catch (error) {
        if (!hold.lost.aborted) log.error({ err: error, orgId: organization }, "an organization could not be erased; it is tried again later");
      }
    }
  } finally {
    await hold.release();
  }
}

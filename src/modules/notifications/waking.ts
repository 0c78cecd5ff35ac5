import type { Db } from "../../platform/database/database.ts";
import { runById, type Workflows } from "../../platform/workflow/index.ts";
import { lockedChannel, type ChannelRow } from "./channel-views.ts";
import { setRun } from "./channel-store.ts";
import { channelTypeId } from "./ids.ts";
import { deliverWorkflow, wakeSignal } from "./workflows/deliver.ts";

/**
 * Sees to it that a run sends what becomes due on a channel at that time (milliseconds since 1970): one that goes on
 * finds it, one that sleeps for longer is woken, and where there is none, one is started. In the transaction that makes
 * it due; the channel stays locked until its end.
 */
export async function wake({ db, workflows }: { db: Db; workflows: Workflows }, channelId: string, dueAt: number): Promise<void> {
  const channel = await lockedChannel(db, channelId);
  if (channel === undefined || !channel.enabled) return;
  if (channel.run_id === null || !(await goesOn(db, channel.run_id))) {
    const runId = await workflows.start(deliverWorkflow, { channel: channelTypeId(channelId) });
    return setRun(db, channelId, runId, null);
  }
  if (channel.wake_at === null || Math.max(dueAt, blockedUntil(channel)) >= channel.wake_at.getTime()) return;
  await workflows.signal(channel.run_id, wakeSignal, {});
  await setRun(db, channelId, channel.run_id, null);
}

/** Tells a run that sleeps that there is nothing to wait for any more, so that it ends. */
export async function wakeUp({ db, workflows }: { db: Db; workflows: Workflows }, channelId: string): Promise<void> {
  const channel = await lockedChannel(db, channelId);
  if (channel === undefined || channel.run_id === null || channel.wake_at === null || !(await goesOn(db, channel.run_id))) return;
  await workflows.signal(channel.run_id, wakeSignal, {});
  await setRun(db, channelId, channel.run_id, null);
}

/** One that was cancelled gives the channel up a moment later. */
async function goesOn(db: Db, runId: string): Promise<boolean> {
  const state = (await runById(db, runId))?.state;
  return state === "waiting" || state === "running";
}

function blockedUntil({ blocked_until }: ChannelRow): number {
  return blocked_until?.getTime() ?? 0;
}

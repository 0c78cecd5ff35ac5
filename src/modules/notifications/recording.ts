import type { Static } from "typebox";
import { timestamp } from "../../platform/clock.ts";
import type { StepContext } from "../../platform/workflow/index.ts";
import { disableChannel, setRun, setStanding } from "./channel-store.ts";
import { lockedChannel, type ChannelRow } from "./channel-views.ts";
import type { Outcome } from "./channels/outcome.ts";
import { endWaiting, giveBack, giveUp, recordAttempt } from "./delivery-store.ts";
import { nextDue } from "./delivery-views.ts";
import { blockedSeconds, mostAgeMs, mostAttempts, retrySeconds } from "./domain/backoff.ts";
import { ChannelDisabled, DeliveriesFailed } from "./events.ts";
import { channelTypeId } from "./ids.ts";
import type { Tried } from "./steps/send-waiting.ts";
import type { sendWaiting } from "./workflows/deliver.ts";

type Sent = Static<typeof sendWaiting.output>;

/** So many are given up on at once; the rest by the next step. */
const mostGivenUp = 1_000;
/** A run wakes at least once a week, because engines set no timer for a month. */
const mostSleepSeconds = 7 * 86_400;

/** Writes down what became of what was tried, and says when something is due next. */
export async function record(context: StepContext, channelId: string, tried: readonly Tried[]): Promise<Sent> {
  const { db, clock, runId } = context;
  const nothing: Sent = { delivered: 0, again: 0, failed: 0, nextSeconds: null };
  // First, so that whoever makes something due waits for this, or is seen here.
  const channel = await lockedChannel(db, channelId);
  if (channel === undefined || (channel.run_id ?? runId) !== runId) return nothing;
  const counts = await recordAll(context, channel, tried);
  await giveBack(db, tried.filter(({ result }) => result.outcome === "later").map(({ delivery }) => delivery.id));
  const gone = tried.some(({ result }) => result.gone === true);
  if (gone) await disable(context, channel);
  const blockedUntil = gone ? null : await standing(context, channel, tried.map(({ result }) => result));
  if (!gone && blockedUntil !== null) counts.failed += await giveUpOld(context, channel);
  const due = await nextDue(db, channelId);
  if (due === undefined) {
    await setRun(db, channelId, null, null);
    return { ...nothing, ...counts };
  }
  const wakeAt = Math.max(due.getTime(), blockedUntil ?? 0);
  const nextSeconds = Math.min(mostSleepSeconds, Math.max(0, Math.ceil((wakeAt - clock.now()) / 1_000)));
  await setRun(db, channelId, runId, nextSeconds === 0 ? null : new Date(clock.now() + nextSeconds * 1_000).toISOString());
  return { ...counts, nextSeconds };
}

async function recordAll({ db, clock, orgId, events, metrics }: StepContext, channel: ChannelRow, tried: readonly Tried[]): Promise<Omit<Sent, "nextSeconds">> {
  const counts = { delivered: 0, again: 0, failed: 0 };
  let failedToTell = 0;
  for (const { delivery, at, ms, result } of tried) {
    if (result.outcome === "later") continue;
    const attempts = delivery.attempts + 1;
    const over = result.outcome === "again" && (attempts >= delivery.most_attempts || clock.now() - delivery.since.getTime() > mostAgeMs);
    const outcome = over ? "failed" : result.outcome;
    const waitSeconds = Math.max(retrySeconds(attempts - (delivery.most_attempts - mostAttempts)), result.pauseSeconds ?? 0);
    const reason = over ? `Given up on after ${attempts} attempts. ${result.reason ?? ""}`.trim() : result.reason;
    const first = await recordAttempt(db, orgId, {
      deliveryId: delivery.id, outcome, at: new Date(at).toISOString(), ms, status: result.status, reason, answer: result.answer, nextAt: new Date(clock.now() + waitSeconds * 1_000).toISOString(),
    });
    if (!first) continue;
    counts[outcome] += 1;
    metrics.notificationDeliveries.inc({ kind: channel.kind, state: outcome });
    // Nobody is told of what tells of failures: two channels that fail would tell each other for ever.
    if (outcome === "failed" && delivery.kind !== "test" && delivery.events.some(({ type }) => !type.startsWith("notifications."))) failedToTell += 1;
  }
  if (failedToTell > 0) await events.append({ type: DeliveriesFailed, subject: channelTypeId(channel.id), data: { kind: channel.kind, count: failedToTell } });
  return counts;
}

/** While it does not work it is asked with one message at a time, so that the others would wait for ever. */
async function giveUpOld({ db, clock, events, metrics }: StepContext, channel: ChannelRow): Promise<number> {
  const now = clock.now();
  const given = await giveUp(db, channel.id, {
    before: new Date(now - mostAgeMs).toISOString(), at: new Date(now).toISOString(), reason: "Given up on after three days in which the channel did not work.",
  }, mostGivenUp);
  if (given.length === 0) return 0;
  metrics.notificationDeliveries.inc({ kind: channel.kind, state: "failed" }, given.length);
  const count = given.filter(({ told }) => told).length;
  if (count > 0) await events.append({ type: DeliveriesFailed, subject: channelTypeId(channel.id), data: { kind: channel.kind, count } });
  return given.length;
}

/** How the channel stands after that; until when nothing is tried, in milliseconds since 1970. */
async function standing({ db, clock }: StepContext, channel: ChannelRow, results: readonly Outcome[]): Promise<number | null> {
  const before = channel.blocked_until?.getTime() ?? null;
  if (results.length === 0) return before;
  const unwell = results.some((result) => result.unwell);
  const failures = unwell ? channel.failures + 1 : 0;
  const seconds = Math.max(blockedSeconds(failures), ...results.map((result) => result.pauseSeconds ?? 0));
  const until = seconds === 0 ? null : clock.now() + seconds * 1_000;
  await setStanding(db, channel.id, { failures, blockedUntil: until === null ? null : new Date(until).toISOString() });
  return until;
}

async function disable({ db, clock, events }: StepContext, channel: ChannelRow): Promise<void> {
  const at = timestamp(clock);
  const reason = "The address is gone (410).";
  await disableChannel(db, channel.id, reason, at);
  await endWaiting(db, { channel: channel.id }, { state: "failed", reason: "The channel was disabled, because its address is gone (410).", at });
  await events.append({ type: ChannelDisabled, subject: channelTypeId(channel.id), data: { kind: channel.kind } });
}

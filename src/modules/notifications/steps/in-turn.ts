import type { Clock } from "../../../platform/clock.ts";
import { outcome, type Outcome } from "../channels/outcome.ts";
import type { ToSend } from "../delivery-views.ts";
import type { Tried } from "./send-waiting.ts";

/**
 * No other is begun after so long: a step that is over time is repeated, and all that it had sent would be sent again. With
 * what one attempt may take it stays well within the time of the step.
 */
const beginMs = 90_000;

/** So many at once, in their order; once the other side does not work, or the time is over, the rest is left for later. */
export async function inTurn(deliveries: readonly ToSend[], atOnce: number, clock: Clock, attempt: (delivery: ToSend) => Promise<Outcome>): Promise<Tried[]> {
  const tried: Tried[] = [];
  const began = clock.now();
  let next = 0;
  let unwell = false;
  async function worker(): Promise<void> {
    for (let delivery = deliveries[next++]; delivery !== undefined; delivery = deliveries[next++]) {
      const at = clock.now();
      const result = unwell || at - began > beginMs ? outcome("later") : await attempt(delivery);
      unwell ||= result.unwell;
      tried.push({ delivery, at, ms: Math.max(0, clock.now() - at), result });
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, deliveries.length) }, worker));
  return tried;
}

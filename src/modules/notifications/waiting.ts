import type { SubscriptionServices } from "../../platform/operation/index.ts";
import { waitingCount } from "./channel-views.ts";

/** How many messages of all organizations wait, counted when the metrics are read; while the database is away, as many as before. */
export function watchWaiting({ database, metrics }: Pick<SubscriptionServices, "database" | "metrics">): void {
  let last = 0;
  metrics.gauge("qinfra_notifications_waiting", "Notifications that wait to be sent", async () => (last = await database.lookup(waitingCount).catch(() => last)));
}

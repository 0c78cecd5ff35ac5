import { grants } from "../../platform/actor.ts";
import { timestamp } from "../../platform/clock.ts";
import { createLru } from "../../platform/identity/lru.ts";
import type { StoredEvent, Subscription, SubscriptionContext } from "../../platform/events/types.ts";
import type { SubscriptionServices } from "../../platform/operation/index.ts";
import { lockedChannel } from "./channel-views.ts";
import { addToDigest, insertDelivery } from "./delivery-store.ts";
import { dueAt } from "./domain/due.ts";
import { holdAll, isOwnEcho, passes } from "./domain/matching.ts";
import { hasRules, rulesOn, type RuleRow } from "./rule-views.ts";
import { wake } from "./waking.ts";

const mostOrganizations = 10_000;

/** Turns events into deliveries: a row for each rule that wants the event, in the transaction that records it as handled. */
export function routeSubscription({ database, clock, ids, eventTypes }: Pick<SubscriptionServices, "database" | "clock" | "ids" | "eventTypes">): Subscription<undefined> {
  const permissions = new Map(eventTypes.map(({ type, permission }) => [type, permission]));

  /** Of each organization: whether it had any rule when it was looked, and up to which position events were there then. */
  const looked = createLru<{ upTo: number; any: boolean }>(mostOrganizations);

  /** Most have none, and one look is enough for all events of a page: a rule that is made later wants none of them. */
  async function hasNoRule(orgId: string, position: number, sealedUpTo: number | undefined): Promise<boolean> {
    if (sealedUpTo === undefined) return false;
    const before = looked.get(orgId, 0);
    if (before !== undefined && before.upTo >= position) return !before.any;
    const any = await database.read(orgId, hasRules);
    looked.set(orgId, { upTo: sealedUpTo, any }, Number.POSITIVE_INFINITY);
    return !any;
  }

  function wanted(rules: readonly RuleRow[], event: StoredEvent): RuleRow[] {
    const permission = permissions.get(event.type) ?? "";
    return rules.filter((rule) => grants(rule.permissions, permission) && passes(event, rule.filter));
  }

  async function tell({ db }: SubscriptionContext, rule: RuleRow, event: StoredEvent): Promise<number> {
    const now = clock.now();
    const urgent = rule.urgent !== null && holdAll(event.data, rule.urgent);
    const due = dueAt({ ...(rule.digest === null ? {} : { digest: rule.digest }), ...(rule.quiet === null ? {} : { quiet: rule.quiet }) }, urgent, now);
    const delivery = {
      orgId: event.orgId, id: ids.uuid(), channelId: rule.channel_id, ruleId: rule.id, dueAt: new Date(due.at).toISOString(), at: timestamp(clock),
    };
    if (!due.together) await insertDelivery(db, { ...delivery, kind: "event" }, event);
    else if (!(await addToDigest(db, delivery, event))) await insertDelivery(db, { ...delivery, kind: "digest" }, event);
    return due.at;
  }

  return {
    id: "notifications.route",
    on: "all",
    async concerns(event, sealedUpTo) {
      if (!permissions.has(event.type) || isOwnEcho(event) || (await hasNoRule(event.orgId, event.position, sealedUpTo))) return false;
      return wanted(await database.read(event.orgId, (db) => rulesOn(db, event)), event).length > 0;
    },
    async handle(context, event) {
      const asked = wanted(await rulesOn(context.db, event), event);
      const used = new Set<string>();
      const due = new Map<string, number>();
      // Channels first, and in one order, as all do that lock both channels and deliveries.
      for (const channelId of [...new Set(asked.map((rule) => rule.channel_id))].sort()) {
        if ((await lockedChannel(context.db, channelId))?.enabled === true) used.add(channelId);
      }
      // One that was disabled or deleted in between has ended what waited for it, and nothing may come after.
      for (const rule of asked.filter(({ channel_id }) => used.has(channel_id))) {
        const at = await tell(context, rule, event);
        due.set(rule.channel_id, Math.min(at, due.get(rule.channel_id) ?? at));
      }
      for (const [channelId, at] of due) await wake(context, channelId, at);
    },
  };
}

import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { askRedrive, isFollowed } from "../../../platform/events/index.ts";
import { operation } from "../../../platform/operation/index.ts";
import { DeadLetterNotFound, SubscriptionGone } from "../errors.ts";
import { DeadLettersRedriven } from "../events.ts";
import { EventId, SubscriptionName } from "../schemas.ts";

export const redrive = operation({
  id: "events.redrive",
  http: "POST /api/v1/dead-letters/{subscription}/redrive",
  cli: { name: "events redrive", positional: ["subscription"] },
  summary: "Have a subscription handle once more what it gave up on",
  description: "One event, or all of the organization's. They are handled soon, in the order of the log, each once and after whatever the subscription handled since; what fails again is a dead letter again.",
  permission: "events:write",
  effect: "change",
  input: Type.Object({
    subscription: SubscriptionName,
    event: Type.Optional({ ...EventId, description: "Only this event" }),
  }),
  output: Type.Object({ subscription: SubscriptionName, count: Type.Integer({ description: "Dead letters that are handled once more" }) }),
  errors: [DeadLetterNotFound, SubscriptionGone],
  examples: [{ input: { subscription: "vulnerabilities.match" } }, { summary: "One event", input: { subscription: "vulnerabilities.match", event: "01a20074-1de6-70c2-96ea-e407aa20b019" } }],
  async handle({ db, clock, events }, { subscription, event }) {
    const count = await askRedrive(db, subscription, event);
    if (count === 0) fail(DeadLetterNotFound, `${subscription} has not given up on ${event === undefined ? "any event" : `an event ${event}`} of this organization; qinfra events dead-letters shows what there is.`);
    if (!(await isFollowed(db, subscription, clock.now()))) fail(SubscriptionGone, `Nobody follows ${subscription} any more, so that its dead letters stay as they are; start its consumer, and ask again.`);
    await events.append({
      type: DeadLettersRedriven, subject: `subscription_${subscription.replaceAll(" ", ".")}`.slice(0, 120),
      data: { subscription, count, ...(event === undefined ? {} : { event }) },
    });
    return { subscription, count };
  },
});

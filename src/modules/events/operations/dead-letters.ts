import { Type, type Static } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { parkedEvent, parkedEvents, type ParkedEvent } from "../../../platform/events/index.ts";
import { fromCursor, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { DeadLetterNotFound } from "../errors.ts";
import { DeadLetter, EventId, SubscriptionName } from "../schemas.ts";

const keyOfPage = /^\d{1,15} [^\0]{1,310}$/;

export const listDeadLetters = operation({
  id: "events.list-dead-letters",
  http: "GET /api/v1/dead-letters",
  cli: { name: "events dead-letters", columns: ["subscription", "event", "type", "subject", "attempts", "failedAt", "reason"] },
  summary: "List the events that a subscription gave up on, newest first",
  description: "What should have followed from them in the organization has not. When the cause is gone, `events.redrive` has them handled once more.",
  permission: "audit:read",
  effect: "read",
  input: Type.Object({ subscription: Type.Optional(SubscriptionName), ...paging }),
  output: Page(DeadLetter),
  examples: [{ input: {} }, { summary: "Software that could not be matched", input: { subscription: "vulnerabilities.match" } }],
  async handle({ db }, { subscription, cursor, limit = 100 }) {
    const key = fromCursor(cursor, keyOfPage);
    const space = key?.indexOf(" ") ?? 0;
    const found = await parkedEvents(db, {
      limit: limit + 1, ...(subscription === undefined ? {} : { subscription }),
      ...(key === undefined ? {} : { before: { position: Number(key.slice(0, space)), subscription: key.slice(space + 1) } }),
    });
    const page = pageOf(found, limit, ({ event, subscription: name }) => `${event.position} ${name}`);
    return { ...page, items: page.items.map(shown) };
  },
});

export const getDeadLetter = operation({
  id: "events.get-dead-letter",
  http: "GET /api/v1/dead-letters/{subscription}/{event}",
  cli: { name: "events dead-letter", positional: ["subscription", "event"] },
  summary: "Show an event that a subscription gave up on, with its data",
  permission: "audit:read",
  effect: "read",
  input: Type.Object({ subscription: SubscriptionName, event: EventId }),
  output: Type.Object({ ...DeadLetter.properties, data: Type.Record(Type.String(), Type.Unknown(), { description: "As the type of the event declares it" }) }),
  errors: [DeadLetterNotFound],
  examples: [{ input: { subscription: "vulnerabilities.match", event: "01a20074-1de6-70c2-96ea-e407aa20b019" } }],
  async handle({ db }, { subscription, event }) {
    const found = await parkedEvent(db, subscription, event);
    if (found === undefined) fail(DeadLetterNotFound, `${subscription} has not given up on an event ${event} of this organization; qinfra events dead-letters shows what there is.`);
    return { ...shown(found), data: found.event.data };
  },
});

function shown({ subscription, event, attempts, reason, at, asked }: ParkedEvent): Static<typeof DeadLetter> {
  return { subscription, event: event.id, type: event.type, subject: event.subject, happenedAt: event.time, attempts, reason, failedAt: at.toISOString(), redriving: asked };
}

import { Type, type Static } from "typebox";
import { weekdays } from "./domain/due.ts";
import { ChannelId, ChannelKind, DeliveryId, RuleId } from "./ids.ts";

const time = (description: string) => Type.String({ format: "date-time", description });
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description: string) => Type.Union([schema, Type.Null()], { description });

export const Name = Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,62}$", description: "Name, unique in the organization", examples: ["on-call"] });

/** What of a channel is a secret: it goes in and does not come out again. */
export const targetFields = {
  endpoint: Type.String({ pattern: "^https?://", maxLength: 2_000, writeOnly: true, description: "URL of a webhook or of Slack; for Alertmanager the address before /api/v2. Only its host is shown afterwards", examples: ["https://hooks.example.com/qinfra"] }),
  authorization: Type.String({ pattern: "^[ -~]{1,4096}$", writeOnly: true, description: "Value of the Authorization header, for webhook and alertmanager" }),
  recipients: Type.Array(Type.String({ pattern: "^[^\\s@<>,;\"]{1,64}@[^\\s@<>,;\"]{1,255}$", description: "Address" }), { maxItems: 50, description: "Addresses of an e-mail channel" }),
};
export const Secret = Type.String({ pattern: "^whsec_[A-Za-z0-9+/]{32,88}={0,2}$", writeOnly: true, description: "Secret of a webhook, whsec_ and base64 of 24 to 64 bytes; made where it is absent" });

export const Channel = Type.Object({
  id: ChannelId, name: Name, kind: ChannelKind,
  enabled: Type.Boolean({ description: "While it is false nothing is sent to it and nothing is kept for it" }),
  disabledReason: orNull(Type.String(), "Why it was disabled by itself"),
  target: orNull(Type.String(), "Host that it leads to"),
  recipients: Type.Array(Type.String(), { description: "Addresses of an e-mail channel" }),
  waiting: Type.Integer({ description: "Messages that wait to be sent" }),
  failures: Type.Integer({ description: "Failures in a row" }),
  blockedUntil: orNull(time("Time"), "Nothing is tried before, because it failed or asked for a pause"),
  createdAt: time("When it was made"),
}, { description: "Where people or programs are told" });
export type Channel = Static<typeof Channel>;

/** With the secret, which is shown this once. */
export const ChannelWithSecret = Type.Object({ ...Channel.properties, secret: Type.Optional(Type.String({ description: "Signing secret of a webhook; it is not shown again" })) });

const Value = Type.Union([Type.String({ maxLength: 200, description: "Text" }), Type.Number({ description: "Number" }), Type.Boolean({ description: "Truth" })], { description: "A value" });
const ConditionInput = Type.Object({
  member: Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}(\\.[A-Za-z0-9_-]{1,64}){0,7}$", description: "Member of the event's data, for example counts.critical" }),
  is: Type.Optional(Type.Array(Value, { minItems: 1, maxItems: 50, description: "It is one of these" })),
  atLeast: Type.Optional(Type.Number({ description: "It is a number, and at least this" })),
}, { additionalProperties: false, description: "What must be so of a member of the event's data" });
const Conditions = (description: string) => Type.Array(ConditionInput, { maxItems: 20, description });
const TimeZone = Type.String({ minLength: 1, maxLength: 64, description: "IANA name of the time zone", examples: ["Europe/Zurich"] });
const LocalTime = Type.String({ pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$", description: "Local time, HH:MM" });

export const EventTypeName = Type.String({ pattern: "^[a-z][a-z-]*\\.([a-z][a-z-]*|\\*)$", maxLength: 100, description: "Type of event, or all of one kind: images.*", examples: ["images.registered", "images.*"] });

export const ruleFields = {
  types: Type.Array(EventTypeName, { minItems: 1, maxItems: 50, description: "Types of events; docs/reference/events.md lists them" }),
  filter: Type.Object({
    subjectBegins: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "The id of what changed begins so: img_ for images" })),
    data: Type.Optional(Conditions("All of these hold")),
  }, { additionalProperties: false, description: "Which of those events; empty for all" }),
  urgent: Type.Union([Conditions("All of these hold; an empty list for each event"), Type.Null()], { description: "Which events wait neither for a digest nor for the end of quiet hours; null for none" }),
  template: Type.Union([Type.Object({
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Subject of an e-mail, name of an alert, first line elsewhere" })),
    text: Type.String({ minLength: 1, maxLength: 4_000, description: "Text with placeholders such as {{summary}}, {{name}} and {{event.data.state}}" }),
  }, { additionalProperties: false, description: "What is said of an event" }), Type.Null()], { description: "null for what the type of the event says of itself" }),
  digest: Type.Union([Type.Object({
    cron: Type.String({ minLength: 9, maxLength: 200, description: "When it is sent, as in crontab(5)", examples: ["0 8 * * 1-5"] }), timeZone: TimeZone,
  }, { additionalProperties: false, description: "All that came since the last, in one message" }), Type.Null()], { description: "null for a message an event, at once" }),
  quiet: Type.Union([Type.Object({
    days: Type.Array(Type.Enum([...weekdays], { description: "Day" }), { minItems: 1, maxItems: 7, description: "Days on which they begin" }), from: LocalTime, to: LocalTime, timeZone: TimeZone,
  }, { additionalProperties: false, description: "Hours in which nothing is sent that is not urgent; what came is told at their end, in one message" }), Type.Null()], { description: "null for none" }),
  enabled: Type.Boolean({ description: "While it is false, events pass it by" }),
};

export const Rule = Type.Object({ id: RuleId, name: Name, channel: ChannelId, ...ruleFields, createdAt: time("When it was made") }, { description: "Which events a channel is told of, and when" });
export type Rule = Static<typeof Rule>;

export const deliveryStates = ["waiting", "sending", "delivered", "failed", "cancelled"] as const;
export const DeliveryState = Type.Enum([...deliveryStates], { description: "What has become of it" });

export const Delivery = Type.Object({
  id: DeliveryId, channel: ChannelId, rule: orNull(RuleId, "null for a test, and where the rule was deleted"),
  kind: Type.Enum(["event", "digest", "test"], { description: "What it tells of" }),
  state: DeliveryState,
  events: Type.Integer({ description: "How many events it tells of" }),
  attempts: Type.Integer({ description: "How often it was tried" }),
  reason: orNull(Type.String(), "Why it failed, or has not succeeded yet"),
  nextAt: orNull(time("Time"), "When it is due"),
  createdAt: time("When its first event came"),
  endedAt: orNull(time("Time"), "When it ended"),
}, { description: "One message to one channel" });
export type Delivery = Static<typeof Delivery>;

export const DeliveryWithAttempts = Type.Object({
  ...Delivery.properties,
  tried: Type.Array(Type.Object({
    number: Type.Integer(), at: time("When"), ms: Type.Integer({ description: "How long it took, in milliseconds" }),
    outcome: Type.Enum(["delivered", "again", "failed"]),
    status: orNull(Type.Integer(), "Status of HTTP, or reply code of SMTP"),
    reason: orNull(Type.String(), "What was wrong"),
    answer: orNull(Type.String(), "The first bytes of what was answered, without what looks like a secret"),
  }), { description: "Its attempts, oldest first" }),
  about: Type.Array(Type.Object({ event: Type.String(), type: Type.String(), subject: Type.String(), time: time("When it happened") }), { description: "Its events, of those that you may see" }),
});

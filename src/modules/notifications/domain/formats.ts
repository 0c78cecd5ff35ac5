import { cloudEventOf } from "../../../platform/events/cloud-event.ts";
import { headlineOf, lineOf, textOf, titleOf, type Message, type Told } from "./message.ts";

/** The body of a webhook: members `type`, `timestamp` and `data`, as Standard Webhooks 1.0 recommends; events are CloudEvents 1.0. */
export function webhookBody(message: Message): string {
  const [first] = message.told;
  const shown = (one: Told) => ({ title: titleOf(message, one), text: textOf(message, one), event: cloudEventOf(one.event) });
  if (message.kind === "digest" || first === undefined) {
    return JSON.stringify({ type: "notifications.digest", timestamp: message.told.at(-1)?.event.time, data: { rule: message.rule, count: message.told.length, events: message.told.map(shown) } });
  }
  return JSON.stringify({ type: first.event.type, timestamp: first.event.time, data: { rule: message.rule, ...shown(first) } });
}

const mostBlockCharacters = 2_900;
const mostBlocks = 45;

/** The three characters that mean something in Slack's mrkdwn (docs.slack.dev, Formatting message text). */
export function slackEscape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/**
 * The JSON of Slack's incoming webhooks (docs.slack.dev, Sending messages using incoming webhooks), which Mattermost,
 * Rocket.Chat and others take as well: `text` for what has no blocks, and `blocks`.
 */
export function slackBody(message: Message): string {
  const headline = slackEscape(headlineOf(message));
  const sections = message.kind === "digest"
    ? grouped(message.told.map((one) => `• ${lineOf(message, one, slackEscape)}`))
    : message.told.map((one) => textOf(message, one, slackEscape));
  const blocks = [`*${headline}*`, ...sections].slice(0, mostBlocks).map((text) => ({ type: "section", text: { type: "mrkdwn", text: text.slice(0, mostBlockCharacters) } }));
  return JSON.stringify({ text: headline, blocks: [...blocks, { type: "context", elements: [{ type: "mrkdwn", text: slackEscape(`${message.rule} · ${message.id}`) }] }] });
}

/** Lines put together so that each text stays within a block. */
function grouped(lines: readonly string[]): string[] {
  const texts: string[] = [];
  for (const line of lines) {
    const last = texts.at(-1);
    const short = line.slice(0, mostBlockCharacters);
    if (last !== undefined && last.length + short.length + 1 <= mostBlockCharacters) texts[texts.length - 1] = `${last}\n${short}`;
    else texts.push(short);
  }
  return texts;
}

export function mailOf(message: Message): { subject: string; text: string } {
  const body = message.kind === "digest" ? message.told.map((one) => `- ${lineOf(message, one)}`).join("\n") : message.told.map((one) => textOf(message, one)).join("\n\n");
  return { subject: headlineOf(message).replaceAll(/\s+/g, " ").slice(0, 200), text: `${headlineOf(message)}\n\n${body}\n\n-- \nQL-RF, rule ${message.rule}, ${message.id}\n` };
}

const firingMs = 3_600_000;

/**
 * Alerts of `POST /api/v2/alerts` (Alertmanager's api/v2/openapi.yaml), one an event. An event happens at once and an
 * alert lasts, so each fires for an hour from when it is sent. Labels tell alerts apart, so the event's id is one.
 */
export function alertsBody(message: Message, { now, publicUrl }: { now: number; publicUrl: string }): string {
  return JSON.stringify(message.told.map((one) => {
    const { event } = one;
    const { severity } = event.data;
    return {
      labels: {
        alertname: event.type, subject: event.subject, event: event.id, rule: message.rule, organization: event.orgId,
        ...(typeof severity === "string" ? { severity } : {}),
      },
      annotations: { summary: titleOf(message, one), description: textOf(message, one) },
      startsAt: event.time, endsAt: new Date(now + firingMs).toISOString(),
      generatorURL: `${publicUrl}/api/v1/notifications/deliveries/${message.id}`,
    };
  }));
}

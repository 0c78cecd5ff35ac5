import type { HttpClient } from "../../../platform/http-client/types.ts";
import type { Mailer } from "../../../platform/mail/index.ts";
import { alertsBody, mailOf, slackBody, webhookBody } from "../domain/formats.ts";
import type { Message } from "../domain/message.ts";
import { signedHeaders } from "../domain/signature.ts";
import type { ChannelKindName } from "../ids.ts";
import { sendByHttp } from "./by-http.ts";
import { sendByMail } from "./by-mail.ts";
import type { Outcome } from "./outcome.ts";
import type { Target } from "./target.ts";

export interface SendPorts {
  http: HttpClient;
  mail: Mailer | undefined;
  publicUrl: string;
  signal: AbortSignal;
  /** Milliseconds since 1970. */
  now: number;
}

/** How many messages of a channel are taken in one step, and how many are under way at once. */
export const pace: Readonly<Record<ChannelKindName, { most: number; atOnce: number }>> = {
  webhook: { most: 64, atOnce: 8 },
  alertmanager: { most: 64, atOnce: 4 },
  // Slack takes one message a second and a channel.
  slack: { most: 8, atOnce: 1 },
  email: { most: 8, atOnce: 1 },
};

/** One attempt at one message. Throws only where the step as a whole cannot go on. */
export async function send(ports: SendPorts, channel: { kind: ChannelKindName; target: Target; recipients: readonly string[] }, message: Message): Promise<Outcome> {
  const { kind, target, recipients } = channel;
  if (kind === "email") return sendByMail(ports, { to: recipients, ...mailOf(message), id: message.id });
  const { url = "", authorization, secret, previous } = target;
  const secrets = [secret, previous?.secret, authorization, secretPart(url)].filter((one) => one !== undefined);
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  if (kind === "alertmanager") return sendByHttp(ports, { url: `${url.replace(/\/+$/, "")}/api/v2/alerts`, headers, body: alertsBody(message, ports), secrets });
  if (kind === "slack") return sendByHttp(ports, { url, headers, body: slackBody(message), secrets });
  const body = webhookBody(message);
  const signing = [secret, previous !== undefined && previous.until > ports.now ? previous.secret : undefined].filter((one) => one !== undefined);
  return sendByHttp(ports, { url, headers: { ...headers, ...signedHeaders({ id: message.id, at: ports.now, body }, signing) }, body, secrets });
}

/** Path and query, where others keep their keys. */
function secretPart(url: string): string | undefined {
  const { pathname, search } = new URL(url);
  return pathname.length + search.length > 1 ? pathname + search : undefined;
}

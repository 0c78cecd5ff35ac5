import { headers, type MsgHdrs } from "@nats-io/transport-node";
import type { CloudEvent } from "../../cloud-event.ts";
import type { BusMessage } from "../types.ts";
import { headerOf, nameOf } from "./names.ts";

const contentType = "application/cloudevents+json";
/** Characters of a header: a reason may be a whole page. */
const most = 4_000;

/** CloudEvents 1.0, structured mode of its NATS binding: the event is the payload. */
export function payloadOf(message: BusMessage): string {
  return JSON.stringify(message.event);
}

/** New ones each time: the library writes into what it is given. */
export function headersOf(message: BusMessage, more: Readonly<Record<string, string>> = {}): MsgHdrs {
  const made = headers();
  made.set("content-type", contentType);
  made.set(headerOf.key, encodeURIComponent(message.key));
  for (const [name, value] of Object.entries(more)) made.set(name, encodeURIComponent(value.slice(0, most).toWellFormed()));
  return made;
}

/** Undefined where it is no CloudEvent of ours. The topic is the second token of the subject, whatever stream it lies in. */
export function decode(message: { subject: string; headers: MsgHdrs | undefined; data: Uint8Array }): BusMessage | undefined {
  const key = read(message.headers, headerOf.key);
  const topic = message.subject.split(".")[1];
  if (key === undefined || topic === undefined) return undefined;
  try {
    const event: unknown = JSON.parse(Buffer.from(message.data).toString("utf8"));
    return isCloudEvent(event) ? { topic: nameOf(topic), key, event } : undefined;
  } catch {
    return undefined;
  }
}

export function read(from: MsgHdrs | undefined, name: string): string | undefined {
  const value = from?.get(name);
  if (value === undefined || value === "") return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function isCloudEvent(event: unknown): event is CloudEvent {
  const { specversion, id, type } = (event ?? {}) as Partial<CloudEvent>;
  return specversion === "1.0" && typeof id === "string" && typeof type === "string";
}

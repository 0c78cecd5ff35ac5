import type { StoredEvent } from "./types.ts";

/**
 * A CloudEvents 1.0 event in the JSON format. `version` is the last member: it is known only in the statement that
 * appends, which completes the text. Extension attributes are lower case and without separators, as the
 * specification asks.
 */
export interface CloudEvent {
  specversion: "1.0";
  id: string;
  /** `urn:qinfra:<module>`. */
  source: string;
  type: string;
  subject: string;
  time: string;
  datacontenttype: "application/json";
  data: Record<string, unknown>;
  orgid: string;
  actor: string;
  operation: string;
  requestid: string;
  door: string;
  ai: boolean;
  /** Hex HMAC-SHA-256 of the private body; its key is derived from the subject's and goes with it. */
  privatehash?: string;
  stream: string;
  version: number;
}

const mostBytes = 64 * 1024;

/** The JSON up to the value of `version`; the version and `}` complete it. */
export function headOf(event: Omit<CloudEvent, "version">): string {
  const head = `${JSON.stringify(event).slice(0, -1)},"version":`;
  if (Buffer.byteLength(head) > mostBytes) {
    throw new RangeError(`event ${event.type} of ${event.subject} is larger than ${mostBytes} bytes; put its data into a blob and name the blob`);
  }
  return head;
}

export function parseCloudEvent(body: string): CloudEvent {
  return JSON.parse(body) as CloudEvent;
}

export function storedEvent(row: { position: number; body: string }): StoredEvent {
  const event = parseCloudEvent(row.body);
  return {
    id: event.id, orgId: event.orgid, position: row.position, type: event.type, subject: event.subject, stream: event.stream,
    version: event.version, time: event.time, actor: event.actor, operation: event.operation, requestId: event.requestid, data: event.data,
  };
}

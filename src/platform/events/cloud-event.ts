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
    version: event.version, time: event.time, actor: event.actor, operation: event.operation, requestId: event.requestid, door: event.door, ai: event.ai,
    ...(event.privatehash === undefined ? {} : { privateHash: event.privatehash }), data: event.data,
  };
}

/** The event as it was appended, member for member. */
export function cloudEventOf(event: StoredEvent): CloudEvent {
  const { id, type, subject, time, data, orgId, actor, operation, requestId, door, ai, privateHash, stream, version } = event;
  return {
    specversion: "1.0", id, source: sourceOf(type), type, subject, time, datacontenttype: "application/json", data, orgid: orgId, actor, operation, requestid: requestId, door, ai,
    ...(privateHash === undefined ? {} : { privatehash: privateHash }), stream, version,
  };
}

/** Of a type such as `images.registered`. */
export function sourceOf(type: string): string {
  return `urn:qinfra:${type.slice(0, type.indexOf("."))}`;
}

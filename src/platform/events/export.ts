import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { chainHash } from "./chain.ts";

/** A sealed event as a file of exported ones holds it. */
export interface ExportedEvent {
  seq: number;
  position: number;
  /** SHA-256 of the body, computed anew from it. */
  hash: Buffer;
  chainHash: Buffer;
  /** The CloudEvents JSON, byte for byte as it was appended. */
  body: string;
}

/** A file of an organization's events of one month, as `events.exports` records it. */
export interface ExportPart {
  partition: string;
  part: number;
  /** Of the blob. */
  name: string;
  events: number;
  first_seq: number;
  last_seq: number;
  sha256: Buffer;
}

const mostPlainBytes = 256 * 1024 * 1024;
const pack = promisify(gzip);
const unpack = promisify(gunzip);

export const exportName = (partition: string, part: number): string => `events/${partition}/${String(part).padStart(6, "0")}.jsonl.gz`;

export const sha256 = (bytes: Uint8Array | string): Buffer => createHash("sha256").update(bytes).digest();

/** gzip (RFC 1952) of one line of JSON an event: `{"seq":1,"position":1,"chain":"<hex>","body":"<CloudEvents JSON>"}`, by `seq`. */
export async function encodeExport(events: readonly Omit<ExportedEvent, "hash">[]): Promise<Buffer> {
  const lines = events.map(({ seq, position, chainHash: chain, body }) => `${JSON.stringify({ seq, position, chain: chain.toString("hex"), body })}\n`);
  return pack(lines.join(""));
}

/** Errors: any, where the bytes are no such file. */
export async function decodeExport(bytes: Uint8Array): Promise<ExportedEvent[]> {
  const text = (await unpack(bytes, { maxOutputLength: mostPlainBytes })).toString();
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const { seq, position, chain, body } = JSON.parse(line) as { seq: number; position: number; chain: string; body: string };
    if (typeof seq !== "number" || typeof position !== "number" || typeof chain !== "string" || typeof body !== "string") throw new TypeError("a line is no event");
    JSON.parse(body);
    return { seq, position, hash: sha256(body), chainHash: Buffer.from(chain, "hex"), body };
  });
}

/** What is wrong with a file against its record; undefined where nothing is. Neighbours in the chain are compared where they lie together. */
export function exportFault(part: Omit<ExportPart, "partition" | "part" | "name" | "sha256">, events: readonly ExportedEvent[]): string | undefined {
  if (events.length !== part.events) return `it holds ${events.length} events instead of ${part.events}`;
  if (events[0]?.seq !== part.first_seq || events.at(-1)?.seq !== part.last_seq) return `it does not go from ${part.first_seq} to ${part.last_seq}`;
  for (const [i, event] of events.entries()) {
    const before = events[i - 1];
    if (before === undefined) continue;
    if (event.seq <= before.seq) return `${event.seq} comes after ${before.seq}`;
    if (event.seq === before.seq + 1 && !chainHash(before.chainHash, event.seq, event.hash).equals(event.chainHash)) return `the chain does not hold at ${event.seq}`;
  }
  return undefined;
}

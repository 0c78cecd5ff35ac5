import { createHash } from "node:crypto";

/** The chain hash before the first event of an organization. */
export const chainStart: Buffer = Buffer.alloc(32);

/**
 * `SHA-256(previous chain hash, 32 bytes || org_seq, 8 bytes big-endian || event hash, 32 bytes)`. Each organization has
 * its own chain, `org_seq` counts from 1 without gaps, and the event hash is the SHA-256 of the body's UTF-8 bytes.
 */
export function chainHash(previous: Uint8Array, orgSeq: number, eventHash: Uint8Array): Buffer {
  const seq = Buffer.alloc(8);
  seq.writeBigUInt64BE(BigInt(orgSeq));
  return createHash("sha256").update(previous).update(seq).update(eventHash).digest();
}

/** What a checkpoint says: up to this event, the chain of this organization is this. */
export interface Checkpoint {
  orgId: string;
  seq: number;
  position: number;
  chainHash: Buffer;
  /** RFC 3339, UTC. */
  time: string;
  keyId: string;
  /** Ed25519 (RFC 8032) over `checkpointBytes`. */
  signature: Buffer;
}

/** Six lines of UTF-8, each ended by a line feed: what is signed. */
export function checkpointBytes(checkpoint: Omit<Checkpoint, "signature">): Buffer {
  const { orgId, seq, position, time, keyId } = checkpoint;
  return Buffer.from(["qinfra-checkpoint-1", orgId, seq, position, checkpoint.chainHash.toString("hex"), `${time} ${keyId}`, ""].join("\n"));
}

/** The checkpoint as a blob holds it. */
export function checkpointJson(checkpoint: Checkpoint): Buffer {
  return Buffer.from(`${JSON.stringify({ ...checkpoint, chainHash: checkpoint.chainHash.toString("hex"), signature: checkpoint.signature.toString("base64") })}\n`);
}

/** Undefined for bytes that are no checkpoint. */
export function parseCheckpoint(bytes: Uint8Array): Checkpoint | undefined {
  try {
    const read = JSON.parse(Buffer.from(bytes).toString()) as Record<keyof Checkpoint, unknown>;
    const { orgId, seq, position, time, keyId, chainHash: hash, signature } = read;
    if (typeof orgId !== "string" || typeof seq !== "number" || typeof position !== "number" || typeof time !== "string") return undefined;
    if (typeof keyId !== "string" || typeof hash !== "string" || typeof signature !== "string") return undefined;
    return { orgId, seq, position, time, keyId, chainHash: Buffer.from(hash, "hex"), signature: Buffer.from(signature, "base64") };
  } catch {
    return undefined;
  }
}

export const latestCheckpoint = (orgId: string): string => `checkpoints/${orgId}/latest.json`;
/** `day` as YYYY-MM-DD, UTC. */
export const dailyCheckpoint = (orgId: string, day: string): string => `checkpoints/${orgId}/${day}.json`;

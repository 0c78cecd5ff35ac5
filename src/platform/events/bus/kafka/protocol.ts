import type { RecordsBatch } from "@platformatic/kafka";

/** Error code of the Kafka protocol, OFFSET_OUT_OF_RANGE. */
export const offsetOutOfRange = 1;
/** Bit of a batch's attributes: it marks the end of a transaction, and holds no message. */
const control = 0b100000;

/** The messages of a batch with their offsets, from `from` on: a broker gives whole batches, also what lies before. */
export function recordsFrom(batch: RecordsBatch, from: bigint): { offset: bigint; record: RecordsBatch["records"][number] }[] {
  if ((batch.attributes & control) !== 0) return [];
  return batch.records.map((record) => ({ offset: batch.firstOffset + BigInt(record.offsetDelta), record })).filter(({ offset }) => offset >= from);
}

/** The offset after the batch. */
export const endOf = (batch: RecordsBatch): bigint => batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;

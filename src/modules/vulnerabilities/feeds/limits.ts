import { FeedError } from "./feed-error.ts";

/** What a feed may cost at most; beyond it the feed is refused. */
export interface FeedLimits {
  /** Bytes of one record. */
  recordBytes: number;
  /** Bytes of the whole feed, uncompressed. */
  totalBytes: number;
  /** Uncompressed to compressed bytes, once more than `ratioFrom` bytes were read. */
  ratio: number;
  ratioFrom: number;
  /** Records, those withdrawn and repeated included. */
  records: number;
}

export const defaultLimits: FeedLimits = {
  recordBytes: 4 * 2 ** 20,
  totalBytes: 20 * 2 ** 30,
  ratio: 200,
  ratioFrom: 64 * 2 ** 20,
  records: 2_000_000,
};

/** Counts what is read of one feed, over all its files. */
export interface Meter {
  limits: FeedLimits;
  bytes: number;
  /** Compressed bytes that were read so far; 0 where nothing is compressed. */
  compressed: number;
}

/** Passes chunks on and counts them; throws FeedError where the feed is larger than the limits allow. */
export async function* metered(chunks: AsyncIterable<Uint8Array>, meter: Meter, file: string): AsyncGenerator<Uint8Array> {
  const { limits } = meter;
  for await (const chunk of chunks) {
    meter.bytes += chunk.byteLength;
    if (meter.bytes > limits.totalBytes) {
      throw new FeedError({ file }, `is larger than ${limits.totalBytes} bytes, which is the limit for a feed`);
    }
    if (meter.compressed > 0 && meter.bytes > limits.ratioFrom && meter.bytes > meter.compressed * limits.ratio) {
      throw new FeedError({ file }, `unpacks to more than ${limits.ratio} times its size, which no real feed does`);
    }
    yield chunk;
  }
}

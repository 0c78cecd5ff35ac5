/** A token bucket: `perSecond` on average, `burst` at once. */
export interface Bucket {
  perSecond: number;
  burst: number;
}

/** How a bucket stands after a request has asked it. */
export interface Allowance {
  bucket: Bucket;
  /** Whole requests that may follow at once. */
  remaining: number;
  /** Seconds until the bucket is full again. */
  resetSeconds: number;
  /** Present where the request is one too many: seconds until one is free. */
  retryAfterSeconds?: number;
}

/** The port of rate limits. Its adapters pass `limitsContract`. */
export interface RateLimits {
  /** Takes one request of the bucket of each key, or of none where one is empty. Answers the bucket that holds least. */
  take(keys: readonly string[], bucket: Bucket): Promise<Allowance>;
}

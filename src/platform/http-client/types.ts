export interface HttpRequest {
  url: string;
  method?: "GET" | "POST" | "PUT" | "HEAD";
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Whole exchange, body included. Default 30 s. */
  timeoutMs?: number;
  /** Bytes; a longer answer is an error. Default 16 MB. */
  maxBytes?: number;
  /** Attempts in all, for idempotent methods only. Default 3. */
  attempts?: number;
  /** True when a user supplied the URL: private, loopback and link-local addresses are then refused, at each redirect too. */
  userSupplied?: boolean;
  /** `manual`: an answer that redirects is the answer. */
  redirect?: "follow" | "manual";
  signal?: AbortSignal;
}

export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
}

/** Everything outbound goes through this: timeouts, bounded retries with jitter, a circuit breaker a host, size limits. */
export interface HttpClient {
  request(request: HttpRequest): Promise<HttpResponse>;
  /** As `request`, with the body as a stream under the same limits. */
  stream(request: HttpRequest): Promise<Omit<HttpResponse, "body"> & { body: AsyncIterable<Uint8Array> }>;
}

/** Why a call to AWS, or to a server that speaks its API, did not work. */
export interface AwsFailure {
  /** `unavailable`: the other side, or the way to it; trying later may help. `settings`: only a person can help. */
  kind: "unavailable" | "settings" | "other";
  /** What happened, without host, key or token. */
  what: string;
  /** The next step; empty for `other`. */
  next: string;
}

interface AwsError {
  name?: string;
  code?: string;
  Code?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number };
  cause?: unknown;
}

const unreachable = new Set(["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "EPIPE", "ETIMEDOUT", "ERR_SOCKET_CONNECTION_TIMEOUT"]);
const tlsFaults = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO)/;
const noCredentials = new Set(["CredentialsProviderError", "InvalidAccessKeyId", "XAdminUserNotFound", "SignatureDoesNotMatch", "UnrecognizedClientException", "InvalidSignatureException", "InvalidClientTokenId", "IncompleteSignature", "MissingAuthenticationToken"]);
const expired = new Set(["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"]);
const skewed = new Set(["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"]);
const wrongRegion = new Set(["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"]);
const busy = new Set(["SlowDown", "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "ServiceUnavailable", "InternalError", "KMSInternalException", "DependencyTimeoutException"]);

/** The name by which AWS calls what is wrong: `NoSuchBucket`. */
export function awsErrorName(error: unknown): string {
  const { name, Code, code } = (error ?? {}) as AwsError;
  return Code ?? (name === undefined || name === "Error" ? (code ?? "unknown error") : name);
}

export function awsStatus(error: unknown): number | undefined {
  return (error as AwsError | undefined)?.$metadata?.httpStatusCode;
}

/** Sorts an error of the AWS SDK. The SDK's own message is never repeated: it may quote a request. */
export function awsFailure(error: unknown): AwsFailure {
  const name = awsErrorName(error);
  const code = (error as AwsError | undefined)?.code ?? "";
  const status = awsStatus(error);
  if (noCredentials.has(name)) return { kind: "settings", what: `the credentials are missing or not accepted (${name})`, next: "Give them as AWS tools take them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role." };
  if (expired.has(name)) return { kind: "settings", what: `the credentials have expired (${name})`, next: "Renew them, or use a role that renews itself." };
  if (skewed.has(name)) return { kind: "settings", what: `the clock of this machine is too far from the server's (${name})`, next: "Set the clock by NTP." };
  if (wrongRegion.has(name) || status === 301) return { kind: "settings", what: `the region is not the right one (${name})`, next: "Name it with ?region= in the setting." };
  if (name === "AbortError" || name === "TimeoutError") return { kind: "unavailable", what: "it did not answer in time", next: "See that it runs and is not overloaded; it is tried again." };
  if (unreachable.has(code) || unreachable.has(name)) return { kind: "unavailable", what: `it cannot be reached (${code || name})`, next: "See that it runs and that this machine may reach it; it is tried again." };
  if (tlsFaults.test(code)) return { kind: "settings", what: `its certificate is not accepted (${code})`, next: "Name the authority that issued it with NODE_EXTRA_CA_CERTS." };
  if (status === 403 || name === "AccessDenied" || name === "AccessDeniedException") return { kind: "settings", what: `it refuses this (${name})`, next: "Give the credentials the permissions that docs/guides/engines.md lists." };
  if (busy.has(name) || status === 429 || (status !== undefined && status >= 500)) return { kind: "unavailable", what: `it answered ${status ?? "an error"} (${name})`, next: "It is tried again; see its own log where that goes on." };
  return { kind: "other", what: `it answered ${status ?? "an error"} (${name})`, next: "" };
}

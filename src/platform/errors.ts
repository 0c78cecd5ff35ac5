/** A declared error: what can be known of it before it happens. Problem details, exit codes and tool errors derive from it. */
export interface ErrorType {
  /** Stable, kebab-case; the last part of the problem type. */
  code: string;
  /** HTTP status. */
  status: number;
  /** One line that is true of each occurrence. */
  title: string;
}

/** An occurrence of a declared error. `detail` says what happened and the next step; `data` is for programs. */
export class DeclaredError extends Error {
  readonly type: ErrorType;
  readonly data: Record<string, unknown> | undefined;

  constructor(type: ErrorType, detail?: string, data?: Record<string, unknown>, cause?: unknown) {
    super(detail ?? type.title, cause === undefined ? undefined : { cause });
    this.name = "DeclaredError";
    this.type = type;
    this.data = data;
  }
}

export function errorType(code: string, status: number, title: string): ErrorType {
  return { code, status, title };
}

export function fail(type: ErrorType, detail?: string, data?: Record<string, unknown>): never {
  throw new DeclaredError(type, detail, data);
}

/** Problem details, RFC 9457. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  requestId?: string;
  data?: Record<string, unknown>;
}

export function toProblem(error: DeclaredError, requestId?: string): Problem {
  return {
    type: `urn:qinfra:problem:${error.type.code}`,
    title: error.type.title,
    status: error.type.status,
    code: error.type.code,
    detail: error.message,
    ...(requestId === undefined ? {} : { requestId }),
    ...(error.data === undefined ? {} : { data: error.data }),
  };
}

/** Errors that the pipeline itself raises, so that no operation declares them. */
export const Unauthenticated = errorType("unauthenticated", 401, "Sign in first");
export const PermissionMissing = errorType("permission-missing", 403, "Your role does not allow this");
export const PolicyDenied = errorType("policy-denied", 403, "A policy refuses this");
export const PasswordChangeRequired = errorType("password-change-required", 403, "Set a new password first");
export const ConfirmationNeeded = errorType("confirmation-needed", 403, "Confirm this with a second factor");
export const OrganizationClosed = errorType("organization-closed", 403, "The organization is being deleted");
export const Overloaded = errorType("overloaded", 503, "The server has more to do than it can");
export const InvalidInput = errorType("invalid-input", 400, "The input is not valid");
export const NotFound = errorType("not-found", 404, "There is no such thing here");
export const TooLarge = errorType("too-large", 413, "The input is too large");
export const UnsupportedMediaType = errorType("unsupported-media-type", 415, "This content type is not read here");
export const TooManyRequests = errorType("too-many-requests", 429, "Too many requests");
export const IdempotencyMismatch = errorType("idempotency-mismatch", 422, "This idempotency key was used with another input");
export const ApprovalUnavailable = errorType("approval-unavailable", 403, "This needs an approval, and approvals are not available");
export const ApprovalWaits = errorType("approval-waits", 409, "People have to approve this first");
export const Conflict = errorType("conflict", 409, "This conflicts with what is there");
export const Cancelled = errorType("cancelled", 499, "The caller went away");
export const Draining = errorType("draining", 503, "The server is shutting down");
export const DatabaseUnavailable = errorType("database-unavailable", 503, "The database does not answer");
export const Internal = errorType("internal", 500, "Something went wrong on our side");

export const pipelineErrors: readonly ErrorType[] = [
  Unauthenticated, PermissionMissing, PolicyDenied, PasswordChangeRequired, ConfirmationNeeded, OrganizationClosed, InvalidInput, TooLarge, UnsupportedMediaType,
  TooManyRequests, IdempotencyMismatch, ApprovalUnavailable, Conflict, Overloaded, Draining, DatabaseUnavailable, Internal,
];

import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Allowance } from "../../platform/limits/index.ts";
import type { Operation } from "../../platform/operation/index.ts";
import type { Outcome } from "../../platform/operation/services.ts";

/** What decides who asks, and so what a cache on the way must tell apart. */
const vary = "authorization, cookie, qinfra-organization";

/** `RateLimit-Policy` and `RateLimit`, draft-ietf-httpapi-ratelimit-headers-10: quota and window, what is left and until when. */
export function tellAllowance(reply: FastifyReply, { bucket, remaining, resetSeconds }: Allowance): void {
  void reply
    .header("ratelimit-policy", `"caller";q=${bucket.burst};w=${Math.max(1, Math.round(bucket.burst / bucket.perSecond))}`)
    .header("ratelimit", `"caller";r=${remaining};t=${Math.ceil(resetSeconds)}`);
}

/** `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and, where something takes its place, the link to it. */
export function tellDeprecation(reply: FastifyReply, { deprecated }: Operation, successorPath: string | undefined): void {
  if (deprecated === undefined) return;
  void reply.header("deprecation", `@${Math.floor(Date.parse(deprecated.since) / 1000)}`).header("sunset", new Date(deprecated.sunset).toUTCString());
  if (successorPath !== undefined) void reply.header("link", `<${successorPath}>; rel="successor-version"`);
}

/**
 * How long an answer may be kept. A read is private and asked for again each time by its entity tag (RFC 9110, 8.8.3);
 * what a change answers, or what holds a secret, is kept nowhere. True where the caller has this very answer already.
 */
export function tellFreshness(request: FastifyRequest, reply: FastifyReply, operation: Operation, { staleSeconds }: Outcome, text: string): boolean {
  const keeps = (operation.effect === "read" || operation.effect === "pure") && request.method === "GET";
  void reply.header("cache-control", keeps ? "private, no-cache" : "no-store").header("vary", vary);
  if (staleSeconds !== undefined) void reply.header("qinfra-stale-seconds", String(Math.ceil(staleSeconds)));
  if (!keeps) return false;
  const tag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 27)}"`;
  void reply.header("etag", tag);
  return matches(request.headers["if-none-match"], tag);
}

/** Weak comparison (RFC 9110, 13.1.2): a proxy that compressed the answer may have marked the tag as weak. */
function matches(asked: string | undefined, tag: string): boolean {
  if (asked === undefined) return false;
  return asked.trim() === "*" || asked.split(",").some((one) => one.trim().replace(/^W\//, "") === tag);
}

import type { FastifyReply } from "fastify";

/** Pages load their stylesheet and send their forms home; nothing else. */
export const contentSecurityPolicy = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/** Headers of every page. The referrer policy lets forms of our own say their origin, which `no-referrer` would hide. */
const pageHeaders = {
  "content-security-policy": contentSecurityPolicy, "referrer-policy": "same-origin", "cross-origin-opener-policy": "same-origin", "x-frame-options": "DENY",
} as const;

export function securityHeaders(reply: FastifyReply): void {
  void reply.headers(pageHeaders);
}

/** A page with data, or about one visitor: kept nowhere. */
export function sendPage(reply: FastifyReply, text: string, status = 200): FastifyReply {
  return reply.code(status).header("cache-control", "no-store").type("text/html; charset=utf-8").send(text);
}

/** The same for a page that asks for a passkey, which takes a script of ours. */
export function sendScriptedPage(reply: FastifyReply, text: string, status = 200): FastifyReply {
  return sendPage(reply.header("content-security-policy", `${contentSecurityPolicy}; script-src 'self'`), text, status);
}

/** Leads on with a GET, whatever the request was. */
export function leadTo(reply: FastifyReply, path: string): FastifyReply {
  return reply.header("cache-control", "no-store").redirect(path, 303);
}

import { createHmac, timingSafeEqual } from "node:crypto";

/** How the browser keeps its session. */
export interface SessionCookie {
  name: string;
  options: { path: "/"; httpOnly: true; sameSite: "lax"; secure: boolean; maxAge: number };
}

/**
 * `__Host-` (RFC 6265bis, 4.1.3.2) ties the cookie to this very host and to TLS. On loopback HTTP a browser would refuse
 * that prefix. SameSite=Lax keeps links from elsewhere signed in; changes need the CSRF token as well.
 */
export function sessionCookie(options: { secure: boolean; maxAgeSeconds: number }): SessionCookie {
  return {
    name: sessionCookieName(options.secure),
    options: { path: "/", httpOnly: true, sameSite: "lax", secure: options.secure, maxAge: options.maxAgeSeconds },
  };
}

export function sessionCookieName(secure: boolean): string {
  return secure ? "__Host-qinfra" : "qinfra";
}

/** Header or form field that carries the CSRF token. */
export const csrfHeader = "x-csrf-token";
export const csrfField = "csrf";

/** The token that the platform's own pages carry: bound to the session, and worth nothing without its cookie. */
export function csrfToken(session: string, key: Uint8Array): string {
  return createHmac("sha256", key).update(`qinfra-csrf/1 ${session}`).digest("base64url");
}

export function csrfProven(session: string, token: string | undefined, key: Uint8Array): boolean {
  const expected = Buffer.from(csrfToken(session, key));
  const given = Buffer.from(token ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

export interface BrowserRequest {
  method: string;
  cookies: Readonly<Record<string, string | undefined>>;
  /** Value of `x-csrf-token`, or of the form's field `csrf`. */
  csrf: string | undefined;
  /** Value of `sec-fetch-site`, where the browser sends it. */
  fetchSite?: string | undefined;
}

/**
 * The session that a browser's request carries, and whether the request may use it: a safe method (RFC 9110, 9.2.1)
 * changes nothing and needs no proof; any other needs the CSRF token, and must not come from another site.
 */
export function browserSession(request: BrowserRequest, rules: { secure: boolean; csrfKey: Uint8Array }): { session: string; csrf: boolean } | undefined {
  const session = request.cookies[sessionCookieName(rules.secure)];
  if (session === undefined || session === "") return undefined;
  const safe = request.method === "GET" || request.method === "HEAD";
  const elsewhere = request.fetchSite === "cross-site" || request.fetchSite === "same-site";
  return { session, csrf: safe || (!elsewhere && csrfProven(session, request.csrf, rules.csrfKey)) };
}

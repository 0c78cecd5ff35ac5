import type { FastifyReply, FastifyRequest } from "fastify";
import { csrfField, csrfProven, csrfToken } from "../../../platform/identity/cookies.ts";

/** Forms hold a name, passwords and a path; nothing of ours is longer. */
export const formLimit = 16 * 1024;

/** The fields of a form that was sent as application/x-www-form-urlencoded. */
export function parseForm(text: string): URLSearchParams {
  return new URLSearchParams(text);
}

/** A field of the form that came with the request; the first where there are several. */
export function fieldOf(request: FastifyRequest, name: string): string | undefined {
  return request.body instanceof URLSearchParams ? (request.body.get(name) ?? undefined) : undefined;
}

export interface FormRules {
  secure: boolean;
  csrfKey: Uint8Array;
  nonce(): string;
}

/**
 * Before there is a session, a form is tied to the browser by a cookie of its own: the field holds its keyed hash, so
 * that nobody else's page can sign a visitor in as somebody else (login CSRF).
 */
export function issueFormToken(request: FastifyRequest, reply: FastifyReply, rules: FormRules): string {
  const known = request.cookies[cookieName(rules.secure)];
  const nonce = known !== undefined && /^[\w-]{20,100}$/.test(known) ? known : rules.nonce();
  void reply.setCookie(cookieName(rules.secure), nonce, { path: "/", httpOnly: true, sameSite: "strict", secure: rules.secure });
  return csrfToken(`form ${nonce}`, rules.csrfKey);
}

/** Whether the form came from a page of ours in the same browser. */
export function formProven(request: FastifyRequest, rules: FormRules): boolean {
  const nonce = request.cookies[cookieName(rules.secure)];
  return nonce !== undefined && isOwnOrigin(request) && csrfProven(`form ${nonce}`, fieldOf(request, csrfField), rules.csrfKey);
}

/** What the browser says about where the form was; one that says nothing is held by the token alone. */
function isOwnOrigin(request: FastifyRequest): boolean {
  const site = request.headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin" || site === "none";
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

function cookieName(secure: boolean): string {
  return secure ? "__Host-qinfra-form" : "qinfra-form";
}

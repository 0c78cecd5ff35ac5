import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";

/** As long as a sign-in may take. */
const lifetimeSeconds = 3_600;
const path = "/join";
const reference = /^[\w-]{16}$/;

/**
 * Keeps the token of an invitation in this browser while its person signs in, and answers the path that leads back to it:
 * addresses on the way, histories and logs hold a name for it alone. Several may be kept, for several tabs.
 */
export function keepInvitation(reply: FastifyReply, token: string, { secure }: { secure: boolean }): string {
  const named = createHash("sha256").update(token).digest("base64url").slice(0, 16);
  // Lax, not strict: another issuer leads back from its site.
  void reply.setCookie(nameOf(named, secure), token, { path, httpOnly: true, sameSite: "lax", secure, maxAge: lifetimeSeconds });
  return `${path}?${new URLSearchParams({ invitation: named }).toString()}`;
}

/** The token that was kept under the name in the address. */
export function keptInvitation(request: FastifyRequest, { secure }: { secure: boolean }): string | undefined {
  const named = (request.query as Record<string, unknown>)["invitation"];
  return typeof named === "string" && reference.test(named) ? request.cookies[nameOf(named, secure)] : undefined;
}

function nameOf(named: string, secure: boolean): string {
  return `${secure ? "__Secure-" : ""}qinfra-invitation-${named}`;
}

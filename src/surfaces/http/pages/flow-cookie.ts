import type { FastifyReply, FastifyRequest } from "fastify";
import { readSigned, signedValue } from "../../../platform/identity/signed-value.ts";
import type { Flow } from "../../../platform/identity/relying-party.ts";

/** As long as a sign-in page may be left open. */
const lifetimeSeconds = 3_600;
export const callbackPath = "/auth/callback";

/** A sign-in that is under way in this browser. */
export interface KeptFlow extends Flow {
  /** Path of the platform to which it leads. */
  next: string;
  /** Milliseconds since 1970. */
  until: number;
}

interface Rules {
  secure: boolean;
  key: Uint8Array;
}

/** Keeps what must come back with the issuer's answer: in this browser alone, and for each sign-in by itself. */
export function keepFlow(reply: FastifyReply, flow: Flow & { next: string }, now: number, { secure, key }: Rules): void {
  const kept: KeptFlow = { ...flow, until: now + lifetimeSeconds * 1000 };
  // Lax, not strict: the answer of another issuer is a navigation from its site.
  void reply.setCookie(nameOf(flow.state, secure), signedValue(kept, key), { path: callbackPath, httpOnly: true, sameSite: "lax", secure, maxAge: lifetimeSeconds });
}

/** The sign-in to which an answer with this state belongs, once: its cookie goes. */
export function takeFlow(request: FastifyRequest, reply: FastifyReply, state: string, now: number, { secure, key }: Rules): KeptFlow | undefined {
  const name = nameOf(state, secure);
  const kept = readSigned(request.cookies[name], key) as KeptFlow | undefined;
  if (kept === undefined) return undefined;
  void reply.clearCookie(name, { path: callbackPath, httpOnly: true, sameSite: "lax", secure });
  return kept.state === state && kept.until > now ? kept : undefined;
}

/** Several sign-ins may be under way, in several tabs. */
function nameOf(state: string, secure: boolean): string {
  return `${secure ? "__Secure-" : ""}qinfra-flow-${state.slice(0, 16).replaceAll(/[^\w-]/g, "")}`;
}

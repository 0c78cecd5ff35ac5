import type { FastifyReply, FastifyRequest } from "fastify";
import { grants } from "../../../platform/actor.ts";
import { DeclaredError, PasswordChangeRequired, Unauthenticated } from "../../../platform/errors.ts";
import { browserSession, csrfToken } from "../../../platform/identity/cookies.ts";
import type { Operation } from "../../../platform/operation/operation.ts";
import { execute } from "../../../platform/operation/pipeline.ts";
import type { Credentials } from "../../../platform/operation/services.ts";
import type { Me } from "./answers.ts";
import { fieldOf } from "./form.ts";
import type { SignedIn } from "./layout.ts";
import type { PagePorts } from "./ports.ts";

/** Who asks for a page, and their way to the operations. */
export interface Visitor {
  /** The session cookie, and whether the request proved that one of our pages sent it. */
  session: { session: string; csrf: boolean } | undefined;
  /** Calls an operation as this visitor, through the whole pipeline. */
  call<Output>(operationId: string, input: Record<string, unknown>): Promise<Output>;
  /** The same as nobody: for signing in. */
  callAnonymously<Output>(operationId: string, input: Record<string, unknown>): Promise<Output>;
  /**
   * The permission that the operation asks for and the person's role does not have. A page leaves such a part out without
   * asking: each refusal is an event of the audit log, and would say that they tried.
   */
  lacks(me: Me, operationId: string): string | undefined;
}

export function visitorOf(ports: PagePorts, request: FastifyRequest, reply: FastifyReply): Visitor {
  const session = browserSession({
    method: request.method, cookies: request.cookies, csrf: fieldOf(request, "csrf"), fetchSite: headerOf(request, "sec-fetch-site"),
  }, ports);
  const gone = new AbortController();
  reply.raw.on("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  function operationOf(operationId: string): Operation {
    const operation = ports.registry.byId.get(operationId);
    if (operation === undefined) throw new Error(`a page calls ${operationId}, which is no operation`);
    return operation;
  }
  async function call<Output>(operationId: string, input: Record<string, unknown>, credentials: Credentials): Promise<Output> {
    const outcome = await execute(ports.services, operationOf(operationId), {
      door: "browser", requestId: request.id, address: request.ip, credentials, input, fromText: false, signal: gone.signal,
    });
    return outcome.output as Output;
  }
  return {
    session,
    call: (operationId, input) => call(operationId, input, session === undefined ? {} : { cookie: session }),
    callAnonymously: (operationId, input) => call(operationId, input, {}),
    lacks(me, operationId) {
      const { permission } = operationOf(operationId);
      return permission === "public" || permission === "self" || grants(me.permissions, permission) ? undefined : permission;
    },
  };
}

export type Standing = { state: "nobody" } | { state: "must-change-password" } | { state: "signed-in"; me: Me };

/** Whether the visitor is signed in, and as whom. */
export async function standingOf(visitor: Visitor): Promise<Standing> {
  if (visitor.session === undefined) return { state: "nobody" };
  try {
    return { state: "signed-in", me: await visitor.call<Me>("users.me", {}) };
  } catch (error) {
    if (!(error instanceof DeclaredError)) throw error;
    if (error.type.code === PasswordChangeRequired.code) return { state: "must-change-password" };
    if (error.type.code === Unauthenticated.code) return { state: "nobody" };
    throw error;
  }
}

/** The visitor's name and the token that their forms carry. */
export function whoOf(ports: PagePorts, visitor: Visitor, me: Me): SignedIn {
  return { user: me.user.displayName, organization: me.organization.name, csrf: csrfToken(visitor.session?.session ?? "", ports.csrfKey) };
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}

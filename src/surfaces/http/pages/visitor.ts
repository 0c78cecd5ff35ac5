import type { FastifyReply, FastifyRequest } from "fastify";
import { anonymous, type Actor } from "../../../platform/actor.ts";
import { ApprovalWaits, DeclaredError, OrganizationClosed, PasswordChangeRequired, Unauthenticated } from "../../../platform/errors.ts";
import { browserSession, csrfToken } from "../../../platform/identity/cookies.ts";
import type { Operation } from "../../../platform/operation/operation.ts";
import { execute, refusalOf } from "../../../platform/operation/pipeline.ts";
import type { Call, Credentials } from "../../../platform/operation/services.ts";
import type { Me } from "./answers.ts";
import { fieldOf } from "./form.ts";
import type { SignedIn } from "./layout.ts";
import type { PagePorts } from "./ports.ts";
import { secondFactorRequired } from "./second-factor-parts.ts";

/** Who asks for a page, and their way to the operations. */
export interface Visitor {
  /** The session cookie, and whether the request proved that one of our pages sent it. */
  session: { session: string; csrf: boolean } | undefined;
  /**
   * Calls an operation as this visitor, through the whole pipeline. Whoever loads a page while they can do nothing here,
   * for the way they signed in, is told so without the attempt.
   */
  call<Output>(operationId: string, input: Record<string, unknown>): Promise<Output>;
  /** The same as nobody: for signing in. */
  callAnonymously<Output>(operationId: string, input: Record<string, unknown>): Promise<Output>;
  /**
   * Why the operation would be refused. A page leaves such a part out without asking: each refusal is an event of the
   * audit log, and would say that they tried.
   */
  refusal(operationId: string): Promise<DeclaredError | undefined>;
  /** What the header shows. Undefined for nobody, and where it cannot be found out: the rest of the page stands without. */
  who(): Promise<SignedIn | undefined>;
}

export function visitorOf(ports: PagePorts, request: FastifyRequest, reply: FastifyReply): Visitor {
  const { services, csrfKey } = ports;
  const session = browserSession({
    method: request.method, cookies: request.cookies, csrf: fieldOf(request, "csrf"), fetchSite: headerOf(request, "sec-fetch-site"),
  }, ports);
  const credentials: Credentials = session === undefined ? {} : { cookie: session };
  const loads = request.method === "GET" || request.method === "HEAD";
  const gone = new AbortController();
  reply.raw.on("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  let known: Promise<Actor> | undefined;

  /** Who stands behind the session, asked once for a page. It does nothing, so that it needs no proof of our page. */
  function actor(): Promise<Actor> {
    if (session === undefined) return Promise.resolve(anonymous);
    return (known ??= services.authenticate({ cookie: { ...session, csrf: true } }, { door: "browser", address: request.ip }).then(async (found) => {
      await services.limiter.take({ actor: found, address: request.ip });
      return found;
    }));
  }

  function operationOf(operationId: string): Operation {
    const operation = ports.registry.byId.get(operationId);
    if (operation === undefined) throw new Error(`a page calls ${operationId}, which is no operation`);
    return operation;
  }

  function callWith(credentials: Credentials, input: Record<string, unknown>): Call {
    return { door: "browser", requestId: request.id, address: request.ip, credentials, input, fromText: false, signal: gone.signal };
  }

  async function run<Output>(operationId: string, call: Call): Promise<Output> {
    const { status, output } = await execute(services, operationOf(operationId), call);
    if (status === 202) throw new DeclaredError(ApprovalWaits, (output as { message: string }).message);
    return output as Output;
  }

  async function refusal(operationId: string, call: Call): Promise<DeclaredError | undefined> {
    const found = await actor();
    return found.kind === "anonymous" ? undefined : refusalOf(services, operationOf(operationId), call, found);
  }

  return {
    session,
    async call<Output>(operationId: string, input: Record<string, unknown>) {
      const call = callWith(credentials, input);
      const refused = loads ? await refusal(operationId, call) : undefined;
      if (refused !== undefined && isOfStanding(refused)) throw refused;
      return run<Output>(operationId, call);
    },
    callAnonymously: (operationId, input) => run(operationId, callWith({}, input)),
    refusal: (operationId) => refusal(operationId, callWith(credentials, {})),
    async who() {
      if (session === undefined) return undefined;
      try {
        const found = await actor();
        // Nobody signs out of an organization that is being deleted, or does anything else in it.
        const names = found.closesAt === undefined ? await ports.whoIs(found) : undefined;
        return names && { ...names, csrf: csrfToken(session.session, csrfKey) };
      } catch (error) {
        services.log.warn({ err: error, requestId: request.id }, "a page is shown without its visitor's name");
        return undefined;
      }
    },
  };
}

/** Whether it is how somebody signed in, or where, that is refused, whatever they ask for. */
export function isOfStanding(error: DeclaredError): boolean {
  return error.type.code === PasswordChangeRequired.code || error.type.code === OrganizationClosed.code || secondFactorRequired(error);
}

export type Standing = { state: "nobody" } | { state: "must-change-password" } | { state: "signed-in"; me: Me };

/** Whether the visitor is signed in, and as whom. */
export async function standingOf(visitor: Visitor): Promise<Standing> {
  if (visitor.session === undefined) return { state: "nobody" };
  if ((await visitor.refusal("users.me"))?.type.code === PasswordChangeRequired.code) return { state: "must-change-password" };
  try {
    return { state: "signed-in", me: await visitor.call<Me>("users.me", {}) };
  } catch (error) {
    if (!(error instanceof DeclaredError)) throw error;
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

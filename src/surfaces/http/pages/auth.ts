import type { FastifyInstance, FastifyReply } from "fastify";
import { anonymous } from "../../../platform/actor.ts";
import { DeclaredError } from "../../../platform/errors.ts";
import { sessionCookie } from "../../../platform/identity/cookies.ts";
import { SignInUnfinished } from "../../../platform/identity/relying-party.ts";
import { callbackPath, keepFlow, takeFlow } from "./flow-cookie.ts";
import { localPath } from "./local-path.ts";
import { originOf } from "./origin.ts";
import type { PagePorts } from "./ports.ts";
import { leadTo } from "./respond.ts";
import { withNext } from "./sign-in.ts";
import { visitorOf } from "./visitor.ts";

interface NewSession {
  token: string;
  expiresAt: string;
  mustChangePassword: boolean;
}

/** GET /auth/login and /auth/callback: the server as an OIDC client. */
export function mountAuth(scope: FastifyInstance, ports: PagePorts): void {
  const { signIn, secure } = ports;
  const { clock, limiter } = ports.services;
  const rules = { secure, key: signIn.flowKey };

  scope.get("/auth/login", async (request, reply) => {
    await limiter.take({ actor: anonymous, address: request.ip });
    const query = request.query as Record<string, unknown>;
    const next = localPath(query["next"]);
    const here = originOf(request, signIn.origin);
    if (here === undefined) return leadTo(reply, withNext("/sign-in", next));
    const issuer = typeof query["issuer"] === "string" ? query["issuer"] : signIn.provider.issuer;
    const { url, flow } = await signIn.party.begin(issuer, `${here}${callbackPath}`);
    keepFlow(reply, { ...flow, next }, clock.now(), rules);
    if (issuer !== signIn.provider.issuer) return leadTo(reply, url);
    // In this browser's own words for this machine, and with what the page of the provider leads on to.
    const own = new URL(url);
    own.searchParams.set("next", next);
    return leadTo(reply, `${own.pathname}${own.search}`);
  });

  scope.get(callbackPath, async (request, reply) => {
    await limiter.take({ actor: anonymous, address: request.ip });
    const here = originOf(request, signIn.origin);
    const state = (request.query as Record<string, unknown>)["state"];
    const flow = typeof state === "string" ? takeFlow(request, reply, state, clock.now(), rules) : undefined;
    if (here === undefined || flow === undefined) {
      throw new DeclaredError(SignInUnfinished, "This sign-in was begun in another browser or more than an hour ago, or it was finished before.");
    }
    const idToken = await signIn.party.finish(flow, new URL(request.url, here));
    const visitor = visitorOf(ports, request, reply);
    const session = await visitor.callAnonymously<NewSession>("sessions.exchange", { idToken, door: "browser" });
    // A browser has one session at a time: what it had before is over.
    if (visitor.session !== undefined) await visitor.call("sessions.delete", { id: "current" }).catch(overAnyway);
    keepSession(ports, reply, session);
    return leadTo(reply, session.mustChangePassword ? withNext("/set-password", flow.next) : flow.next);
  });
}

function overAnyway(error: unknown): void {
  if (!(error instanceof DeclaredError) || error.type.status >= 500) throw error;
}

function keepSession(ports: PagePorts, reply: FastifyReply, { token, expiresAt }: NewSession): void {
  const maxAgeSeconds = Math.max(0, Math.floor((Date.parse(expiresAt) - ports.services.clock.now()) / 1000));
  const { name, options } = sessionCookie({ secure: ports.secure, maxAgeSeconds });
  void reply.setCookie(name, token, options);
}

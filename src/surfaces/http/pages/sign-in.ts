import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DeclaredError, errorType, InvalidInput, TooManyRequests } from "../../../platform/errors.ts";
import { sessionCookieName } from "../../../platform/identity/cookies.ts";
import { networkOf } from "../../../platform/identity/sign-in-limits.ts";
import { issuerButtons } from "./issuer-buttons.ts";
import { html, type Html } from "./html.ts";
import { page } from "./layout.ts";
import { localPath } from "./local-path.ts";
import { originOf } from "./origin.ts";
import { note, waitText } from "./parts.ts";
import type { PagePorts } from "./ports.ts";
import { leadTo, sendPage } from "./respond.ts";
import { standingOf, visitorOf } from "./visitor.ts";

const WrongAddress = errorType("wrong-address", 421, "The platform is reached by another address");

/** GET /sign-in, which leads to where one signs in, and POST /sign-out. */
export function mountSignIn(scope: FastifyInstance, ports: PagePorts): void {
  const { signIn } = ports;

  scope.get("/sign-in", async (request, reply) => {
    const next = localPath((request.query as Record<string, unknown>)["next"]);
    if (originOf(request, signIn.origin) === undefined) return toOwnOrigin(request, reply, signIn.origin, next);
    const standing = await standingOf(visitorOf(ports, request, reply));
    if (standing.state === "signed-in") return leadTo(reply, next);
    if (standing.state === "must-change-password") return leadTo(reply, withNext("/set-password", next));
    if (signIn.passwords) return leadTo(reply, withNext("/auth/login", next));
    return sendPage(reply, elsewherePage(ports, next));
  });

  scope.post("/sign-out", async (request, reply) => {
    const visitor = visitorOf(ports, request, reply);
    if ((await standingOf(visitor)).state !== "nobody") await visitor.call("sessions.delete", { id: "current" });
    await signIn.provider.signOut(request.raw, reply.raw);
    for (const name of [sessionCookieName(ports.secure), ...signIn.provider.cookies.session]) {
      void reply.clearCookie(name, { path: "/", httpOnly: true, sameSite: "lax", secure: ports.secure });
    }
    return leadTo(reply, "/signed-out");
  });

  scope.get("/signed-out", async (_request, reply) => sendPage(reply, signedOutPage(ports)));
}

/** `/sign-in?next=...`; the path of the status page is not worth naming. */
export function withNext(path: string, next: string): string {
  return next === "/" ? path : `${path}?${new URLSearchParams({ next }).toString()}`;
}

/** Cookies and issuers' answers go by the platform's own name, so that one signs in under that alone. */
function toOwnOrigin(request: FastifyRequest, reply: FastifyReply, origin: string, next: string): FastifyReply {
  if (isThisMachine(origin) && !/^(127\.|::1$)/.test(networkOf(request.ip)) && request.ip !== "::1") {
    throw new DeclaredError(WrongAddress, `People sign in at ${origin}, which is the server's own machine. An administrator sets PUBLIC_URL to the address by which browsers reach it.`);
  }
  return leadTo(reply, `${origin}${withNext("/sign-in", next)}`);
}

/** Whether only browsers of the server's own machine reach it by this origin. */
export function isThisMachine(origin: string): boolean {
  const { hostname } = new URL(origin);
  return hostname === "127.0.0.1" || hostname === "localhost";
}

/** What a refused form says, with the time to wait where there were too many attempts. */
export function errorNote(error: DeclaredError): Html {
  const wait = secondsToWait(error);
  const text = wait === undefined ? error.message : `Too many attempts. Wait ${waitText(wait)}, then try again.`;
  return html`<div role="alert" id="error">${note("bad", html`<p>${text}</p>`)}</div>`;
}

export function secondsToWait(error: DeclaredError): number | undefined {
  const wait = error.data?.["retryAfterSeconds"];
  return error.type.code === TooManyRequests.code && typeof wait === "number" ? Math.ceil(wait) : undefined;
}

/** Where passwords are not asked for. */
function elsewherePage(ports: PagePorts, next: string): string {
  const { issuers } = ports.signIn.party;
  if (issuers.length === 0) throw new DeclaredError(InvalidInput, "Nobody can sign in with a browser: LOCAL_SIGN_IN is off, and no issuer in JWT_ISSUERS has a client. An administrator sets one of them.");
  const body = html`<div class="narrow"><h1>Sign in</h1>
<p class="muted">You sign in with your organization's own account.</p>
${issuerButtons(issuers, next)}</div>`;
  return page({ title: "Sign in", body, version: ports.version });
}

function signedOutPage(ports: PagePorts): string {
  const body = html`<div class="narrow"><h1>Signed out</h1>
<p class="muted">Your session here is over. Where you signed in with another account, that one's own session goes on.</p>
<p><a class="button" href="/sign-in">Sign in again</a></p></div>`;
  return page({ title: "Signed out", body, version: ports.version });
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DeclaredError, errorType, InvalidInput, TooManyRequests } from "../../../platform/errors.ts";
import { sessionCookie, sessionCookieName } from "../../../platform/identity/cookies.ts";
import { fieldOf, formProven, issueFormToken } from "./form.ts";
import { html, type Html } from "./html.ts";
import { page } from "./layout.ts";
import { localPath } from "./local-path.ts";
import { note, waitText } from "./parts.ts";
import type { PagePorts } from "./ports.ts";
import { leadTo, sendPage } from "./respond.ts";
import { standingOf, visitorOf } from "./visitor.ts";

const FormNotOurs = errorType("form-not-ours", 403, "The form did not come from this page");

interface NewSession {
  token: string;
  expiresAt: string;
  mustChangePassword: boolean;
}

/** GET and POST /sign-in, POST /sign-out. */
export function mountSignIn(scope: FastifyInstance, ports: PagePorts): void {
  scope.get("/sign-in", async (request, reply) => {
    const next = localPath((request.query as Record<string, unknown>)["next"]);
    const standing = await standingOf(visitorOf(ports, request, reply));
    if (standing.state === "signed-in") return leadTo(reply, next);
    if (standing.state === "must-change-password") return leadTo(reply, withNext("/set-password", next));
    return sendPage(reply, signInPage(ports, { next, name: "", token: issueFormToken(request, reply, ports) }));
  });

  scope.post("/sign-in", async (request, reply) => {
    const next = localPath(fieldOf(request, "next"));
    const name = fieldOf(request, "name")?.trim() ?? "";
    const password = fieldOf(request, "password") ?? "";
    try {
      if (!formProven(request, ports)) throw new DeclaredError(FormNotOurs, "The form was too old, or came from elsewhere; nothing was sent on. Sign in again here.");
      if (name === "" || password === "") throw new DeclaredError(InvalidInput, "Give both, your name and your password.");
      const session = await visitorOf(ports, request, reply).callAnonymously<NewSession>("sessions.create", { name, password, door: "browser" });
      keepSession(ports, reply, session);
      return leadTo(reply, session.mustChangePassword ? withNext("/set-password", next) : next);
    } catch (error) {
      if (!(error instanceof DeclaredError)) throw error;
      return refused(ports, request, reply, { error, next, name });
    }
  });

  scope.post("/sign-out", async (request, reply) => {
    const visitor = visitorOf(ports, request, reply);
    if ((await standingOf(visitor)).state !== "nobody") await visitor.call("sessions.delete", { id: "current" });
    void reply.clearCookie(sessionCookieName(ports.secure), { path: "/", httpOnly: true, sameSite: "lax", secure: ports.secure });
    return leadTo(reply, "/sign-in");
  });
}

/** `/sign-in?next=...`; the path of the status page is not worth naming. */
export function withNext(path: string, next: string): string {
  return next === "/" ? path : `${path}?${new URLSearchParams({ next }).toString()}`;
}

function keepSession(ports: PagePorts, reply: FastifyReply, { token, expiresAt }: NewSession): void {
  const maxAgeSeconds = Math.max(0, Math.floor((Date.parse(expiresAt) - ports.services.clock.now()) / 1000));
  const { name, options } = sessionCookie({ secure: ports.secure, maxAgeSeconds });
  void reply.setCookie(name, token, options);
}

function refused(ports: PagePorts, request: FastifyRequest, reply: FastifyReply, { error, next, name }: { error: DeclaredError; next: string; name: string }): FastifyReply {
  const { status } = error.type;
  if (status === 401) void reply.header("www-authenticate", 'Bearer realm="qinfra"');
  const wait = secondsToWait(error);
  if (wait !== undefined) void reply.header("retry-after", String(wait));
  return sendPage(reply, signInPage(ports, { next, name, error, token: issueFormToken(request, reply, ports) }), status);
}

/** What a refused form says, with the time to wait where there were too many attempts. */
export function errorNote(error: DeclaredError): Html {
  const wait = secondsToWait(error);
  const text = wait === undefined ? error.message : `Too many attempts. Wait ${waitText(wait)}, then try again.`;
  return html`<div role="alert" id="error">${note("bad", html`<p>${text}</p>`)}</div>`;
}

function secondsToWait(error: DeclaredError): number | undefined {
  const wait = error.data?.["retryAfterSeconds"];
  return error.type.code === TooManyRequests.code && typeof wait === "number" ? Math.ceil(wait) : undefined;
}

interface SignInForm {
  next: string;
  name: string;
  token: string;
  error?: DeclaredError;
}

function signInPage(ports: PagePorts, { next, name, token, error }: SignInForm): string {
  const described = error === undefined ? null : html` aria-describedby="error" aria-invalid="true"`;
  const body = html`<div class="narrow"><h1>Sign in</h1>
<p class="muted">On a fresh platform, <code>npm run up</code> has printed the name and a one-time password.</p>
${error === undefined ? null : errorNote(error)}
<form class="fields" method="post" action="/sign-in">
<input type="hidden" name="csrf" value="${token}"><input type="hidden" name="next" value="${next}">
<div><label for="name">Name</label><input id="name" name="name" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="100" required${name === "" ? html` autofocus` : null}${described}></div>
<div><label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required${name === "" ? null : html` autofocus`}${described}></div>
<div><button>Sign in</button></div>
</form></div>`;
  return page({ title: "Sign in", body, version: ports.version });
}

import type { FastifyInstance, FastifyRequest } from "fastify";
import { DeclaredError, InvalidInput } from "../../../platform/errors.ts";
import { csrfToken } from "../../../platform/identity/cookies.ts";
import { fieldOf } from "./form.ts";
import { html } from "./html.ts";
import { page, type SignedIn } from "./layout.ts";
import { localPath } from "./local-path.ts";
import type { PagePorts } from "./ports.ts";
import { leadTo, sendPage } from "./respond.ts";
import { errorNote, withNext } from "./sign-in.ts";
import { standingOf, visitorOf, type Standing } from "./visitor.ts";

const shortest = 12;

/** GET and POST /set-password: after a one-time password, and whenever somebody wants another one. */
export function mountSetPassword(scope: FastifyInstance, ports: PagePorts): void {
  scope.get("/set-password", async (request, reply) => {
    const next = localPath((request.query as Record<string, unknown>)["next"]);
    const visitor = visitorOf(ports, request, reply);
    const standing = await standingOf(visitor);
    if (visitor.session === undefined || standing.state === "nobody") return leadTo(reply, withNext("/sign-in", next));
    return sendPage(reply, setPasswordPage(ports, { session: visitor.session.session, standing, next, who: await visitor.who() }));
  });

  scope.post("/set-password", async (request, reply) => {
    const next = localPath(fieldOf(request, "next"));
    const visitor = visitorOf(ports, request, reply);
    const standing = await standingOf(visitor);
    if (visitor.session === undefined || standing.state === "nobody") return leadTo(reply, withNext("/sign-in", next));
    try {
      await visitor.call("users.set-password", chosen(request, standing));
      return leadTo(reply, next);
    } catch (error) {
      if (!(error instanceof DeclaredError)) throw error;
      return sendPage(reply, setPasswordPage(ports, { session: visitor.session.session, standing, next, error, who: await visitor.who() }), error.type.status);
    }
  });
}

function chosen(request: FastifyRequest, { state }: Standing): { currentPassword: string; newPassword: string } {
  const [currentPassword = "", newPassword = "", again = ""] = ["current", "new", "again"].map((field) => fieldOf(request, field));
  if (currentPassword === "") throw new DeclaredError(InvalidInput, `Give the ${state === "must-change-password" ? "one-time" : "current"} password.`);
  if ([...newPassword].length < shortest) throw new DeclaredError(InvalidInput, `The new password needs at least ${shortest} characters, of any kind.`);
  if (newPassword !== again) throw new DeclaredError(InvalidInput, "The new password and its repetition differ; type both again.");
  return { currentPassword, newPassword };
}

interface SetPasswordForm {
  session: string;
  standing: Standing;
  next: string;
  /** For the header. */
  who: SignedIn | undefined;
  error?: DeclaredError;
}

function setPasswordPage(ports: PagePorts, { session, standing, next, who: here, error }: SetPasswordForm): string {
  const once = standing.state === "must-change-password";
  const who = standing.state === "signed-in" ? standing.me.user.name : undefined;
  const token = csrfToken(session, ports.csrfKey);
  const described = error === undefined ? null : html` aria-describedby="error" aria-invalid="true"`;
  const body = html`<div class="narrow"><h1>Set a new password</h1>
<p class="muted">${once ? "Give the one-time password once more. It is spent by this, and can do nothing else." : `For ${who ?? "you"}. Your other sessions end.`}</p>
${error === undefined ? null : errorNote(error)}
<form class="fields" method="post" action="/set-password">
<input type="hidden" name="csrf" value="${token}"><input type="hidden" name="next" value="${next}">
${who === undefined ? null : html`<input type="text" name="username" value="${who}" autocomplete="username" hidden>`}
<div><label for="current">${once ? "One-time password" : "Current password"}</label><input id="current" name="current" type="password" autocomplete="current-password" maxlength="1024" required autofocus${described}></div>
<div><label for="new">New password</label><input id="new" name="new" type="password" autocomplete="new-password" minlength="${shortest}" maxlength="1024" required aria-describedby="hint"><p class="hint" id="hint">At least ${shortest} characters, of any kind.</p></div>
<div><label for="again">New password again</label><input id="again" name="again" type="password" autocomplete="new-password" minlength="${shortest}" maxlength="1024" required></div>
<div><button>Set the password</button></div>
</form>
${once ? html`<form class="after" method="post" action="/sign-out"><input type="hidden" name="csrf" value="${token}"><button class="quiet">Sign out</button></form>` : null}</div>`;
  return page({ title: error === undefined ? "Set a new password" : "Password not set", body, ...(here !== undefined && { who: here }), version: ports.version });
}

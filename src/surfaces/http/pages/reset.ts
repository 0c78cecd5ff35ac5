import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DeclaredError, InvalidInput, TooManyRequests } from "../../../platform/errors.ts";
import { fieldOf } from "./form.ts";
import { html } from "./html.ts";
import { page } from "./layout.ts";
import type { PagePorts } from "./ports.ts";
import { sendPage } from "./respond.ts";
import { errorNote, secondsToWait } from "./sign-in.ts";
import { visitorOf } from "./visitor.ts";

const shortest = 12;

type Asked = FastifyRequest<{ Params: { token: string } }>;

/**
 * GET and POST /reset/:token: a new password by a link. Nobody is signed in here, and the link itself is the proof, so
 * that the form carries no token. Its address is a secret: nothing is kept, and no other page is told of it.
 */
export function mountReset(scope: FastifyInstance, ports: PagePorts): void {
  scope.get("/reset/:token", async (request: Asked, reply) => show(request, reply));

  scope.post("/reset/:token", async (request: Asked, reply) => {
    try {
      const newPassword = chosen(fieldOf(request, "new"), fieldOf(request, "again"));
      await visitorOf(ports, request, reply).callAnonymously("password-resets.use", { token: request.params.token, newPassword });
      return send(reply, donePage(ports));
    } catch (error) {
      if (!(error instanceof DeclaredError) || error.type.status >= 500) throw error;
      return show(request, reply, error);
    }
  });

  async function show(request: Asked, reply: FastifyReply, error?: DeclaredError): Promise<FastifyReply> {
    if (error !== undefined && error.type.code !== InvalidInput.code) return refused(reply, error);
    try {
      const { name } = await visitorOf(ports, request, reply).callAnonymously<{ name: string }>("password-resets.look-up", { token: request.params.token });
      return send(reply, formPage(ports, request.params.token, name, error), error?.type.status);
    } catch (reason) {
      if (!(reason instanceof DeclaredError) || reason.type.status >= 500) throw reason;
      return refused(reply, reason);
    }
  }

  function refused(reply: FastifyReply, error: DeclaredError): FastifyReply {
    const wait = secondsToWait(error);
    if (wait !== undefined) void reply.header("retry-after", String(wait));
    return send(reply, overPage(ports, error), error.type.status);
  }
}

function send(reply: FastifyReply, text: string, status = 200): FastifyReply {
  return sendPage(reply.header("referrer-policy", "no-referrer"), text, status);
}

function chosen(newPassword = "", again = ""): string {
  if ([...newPassword].length < shortest) throw new DeclaredError(InvalidInput, `The new password needs at least ${shortest} characters, of any kind.`);
  if (newPassword !== again) throw new DeclaredError(InvalidInput, "The new password and its repetition differ; type both again.");
  return newPassword;
}

function formPage(ports: PagePorts, token: string, name: string, error: DeclaredError | undefined): string {
  const described = error === undefined ? html` aria-describedby="hint"` : html` aria-describedby="error hint" aria-invalid="true"`;
  const body = html`<div class="narrow"><h1>Set a new password</h1>
<p class="muted">For <strong>${name}</strong>. All sessions of this account end with it; second factors stay.</p>
${error === undefined ? null : errorNote(error)}
<form class="fields" method="post" action="/reset/${encodeURIComponent(token)}">
<input type="text" name="username" value="${name}" autocomplete="username" hidden>
<div><label for="new">New password</label><input id="new" name="new" type="password" autocomplete="new-password" minlength="${shortest}" maxlength="1024" required autofocus${described}><p class="hint" id="hint">At least ${shortest} characters, of any kind.</p></div>
<div><label for="again">New password again</label><input id="again" name="again" type="password" autocomplete="new-password" minlength="${shortest}" maxlength="1024" required></div>
<div><button>Set the password</button></div>
</form></div>`;
  return page({ title: error === undefined ? "Set a new password" : "Password not set", body, version: ports.version });
}

function donePage(ports: PagePorts): string {
  const body = html`<div class="narrow"><h1>The password is set</h1>
<p>The link is spent. If somebody was signed in as you, they are not any more.</p>
<p><a class="button" href="/sign-in">Sign in</a></p></div>`;
  return page({ title: "Password set", body, version: ports.version });
}

function overPage(ports: PagePorts, error: DeclaredError): string {
  const tooMany = error.type.code === TooManyRequests.code;
  const body = html`<div class="narrow"><h1>${tooMany ? "Too many attempts" : "This link is not good any more"}</h1>
${tooMany ? errorNote(error) : html`<p>${error.message}</p>`}
<p><a href="/sign-in">Sign in</a> if you know the password.</p></div>`;
  return page({ title: tooMany ? "Too many attempts" : "Link not good any more", body, version: ports.version });
}

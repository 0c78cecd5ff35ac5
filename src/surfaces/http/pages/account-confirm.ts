import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DeclaredError, InvalidInput } from "../../../platform/errors.ts";
import { credentialIn } from "./account.ts";
import type { SecondFactorItem } from "./account-data.ts";
import type { Me } from "./answers.ts";
import { fieldOf } from "./form.ts";
import { html } from "./html.ts";
import { page } from "./layout.ts";
import { localPath } from "./local-path.ts";
import { passkeyScriptPath } from "./passkey-script.ts";
import type { PagePorts } from "./ports.ts";
import { leadTo, sendPage, sendScriptedPage } from "./respond.ts";
import { codeField, passkeyForm } from "./second-factor-parts.ts";
import { errorNote, secondsToWait, withNext } from "./sign-in.ts";
import { visitorOf, whoOf, type Visitor } from "./visitor.ts";

/** GET and POST /account/confirm: gives a second factor before something that asks for it anew, and leads on. */
export function mountConfirm(scope: FastifyInstance, ports: PagePorts): void {
  scope.get("/account/confirm", async (request, reply) => {
    const next = localPath((request.query as Record<string, unknown>)["next"]);
    const visitor = visitorOf(ports, request, reply);
    if (visitor.session === undefined) return leadTo(reply, withNext("/sign-in", withNext("/account/confirm", next)));
    return show(reply, visitor, next);
  });

  scope.post("/account/confirm", async (request, reply) => {
    const next = localPath(fieldOf(request, "next"));
    const visitor = visitorOf(ports, request, reply);
    try {
      await confirm(request, visitor);
      return leadTo(reply, next);
    } catch (error) {
      if (!(error instanceof DeclaredError) || error.type.status >= 500 || error.type.status === 401 || error.type.code === "csrf-missing") throw error;
      const wait = secondsToWait(error);
      if (wait !== undefined) void reply.header("retry-after", String(wait));
      return show(reply, visitor, next, error);
    }
  });

  async function confirm(request: FastifyRequest, visitor: Visitor): Promise<void> {
    if ((fieldOf(request, "passkey") ?? "") !== "") {
      await visitor.call("sessions.confirm-passkey", { credential: credentialIn(request) });
      return;
    }
    const code = fieldOf(request, "code")?.trim() ?? "";
    if (code.length < 6) throw new DeclaredError(InvalidInput, "Give the six digits of your authenticator app, or a recovery code.");
    await visitor.call("sessions.confirm", { code: code.slice(0, 100) });
  }

  async function show(reply: FastifyReply, visitor: Visitor, next: string, error?: DeclaredError): Promise<FastifyReply> {
    const me = await visitor.call<Me>("users.me", {});
    const who = whoOf(ports, visitor, me);
    const { items } = await visitor.call<{ items: SecondFactorItem[] }>("second-factors.list", {});
    const options = items.some(({ kind }) => kind === "passkey") ? await passkeyOptions(visitor) : undefined;
    const body = items.length === 0
      ? html`<div class="narrow"><h1>No second factor</h1>
<p>This asks for a second factor, and your account has none yet.</p>
<p><a class="button" href="/account#second-factors">Add one</a></p></div>`
      : html`<div class="narrow"><h1>Confirm that it is you</h1>
<p class="muted">What you are about to do asks for a second factor. It counts for five minutes.</p>
${error === undefined ? null : errorNote(error)}
${options === undefined ? null : passkeyForm({ kind: "get", action: "/account/confirm", options, hidden: { csrf: who.csrf, next }, button: "Use a passkey" })}
${options === undefined ? null : html`<h2 class="or">Or give a code</h2>`}
<form class="fields" method="post" action="/account/confirm">
<input type="hidden" name="csrf" value="${who.csrf}"><input type="hidden" name="next" value="${next}">
${codeField({ totp: items.some(({ kind }) => kind === "totp"), ...(error !== undefined && { described: "error" }), autofocus: options === undefined })}
<div class="actions"><button${options === undefined ? null : html` class="plain"`}>Confirm</button> <a href="/account">Not now</a></div>
</form></div>`;
    const text = page({ title: error === undefined ? "Confirm that it is you" : "Not confirmed", body, who, version: ports.version, ...(options !== undefined && { script: passkeyScriptPath }) });
    const status = error?.type.status ?? 200;
    return options === undefined ? sendPage(reply, text, status) : sendScriptedPage(reply, text, status);
  }
}

/** Undefined where passkeys cannot be used at the platform's address any more. */
async function passkeyOptions(visitor: Visitor): Promise<unknown> {
  try {
    return (await visitor.call<{ options: unknown }>("sessions.begin-confirmation", {})).options;
  } catch (error) {
    if (error instanceof DeclaredError && error.type.status === 409) return undefined;
    throw error;
  }
}

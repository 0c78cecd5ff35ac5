import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DeclaredError, errorType } from "../../../platform/errors.ts";
import type { Interaction } from "../../../modules/organizations/index.ts";
import { fieldOf, formProven, issueFormToken } from "./form.ts";
import { html, type Html } from "./html.ts";
import { FormNotOurs } from "./interaction.ts";
import { page } from "./layout.ts";
import { note } from "./parts.ts";
import type { PagePorts } from "./ports.ts";
import { contentSecurityPolicy, leadTo, sendPage } from "./respond.ts";
import { standingOf, visitorOf, whoOf } from "./visitor.ts";

const RequestOver = errorType("authorization-over", 410, "The application's request is over");

type Asked = FastifyRequest<{ Params: { uid: string } }>;

/** GET and POST /consent/:uid: whether another application may act for the person. */
export function mountConsent(scope: FastifyInstance, ports: PagePorts): void {
  const { provider } = ports.signIn;

  scope.get("/consent/:uid", async (request: Asked, reply) => {
    const interaction = await interactionOf(request, reply);
    const visitor = visitorOf(ports, request, reply);
    const standing = await standingOf(visitor);
    // The provider asks for the sign-in again where the session ended meanwhile.
    const who = standing.state === "signed-in" ? whoOf(ports, visitor, standing.me) : undefined;
    const places = standing.state === "signed-in" ? new Intl.ListFormat("en-GB").format(standing.me.organizations.map(({ name }) => name)) : "";
    const target = targetOf(interaction);
    // A form's answer is followed to the application, and browsers hold that to be part of the form.
    if (target !== undefined) void reply.header("content-security-policy", contentSecurityPolicy.replace("form-action 'self'", `form-action 'self' ${target.source}`));
    const body = html`<div class="narrow wide"><h1>Allow ${interaction.client.name}?</h1>
<p>${interaction.client.name}${target === undefined ? null : html` at <strong>${target.name}</strong>`} asks to act for you${who === undefined ? null : html`, <strong>${who.user}</strong> in ${places}`}.</p>
${scopeList(ports, interaction.scopes)}
${note("warn", html`<p>Allow it only if you began this yourself. It never gets your password, and you end it by signing out.</p>`)}
<form method="post" action="/consent/${interaction.uid}" class="actions">
<input type="hidden" name="csrf" value="${issueFormToken(request, reply, ports)}">
<button name="decision" value="allow">Allow</button> <button class="plain" name="decision" value="refuse">Refuse</button>
</form></div>`;
    return sendPage(reply, page({ title: `Allow ${interaction.client.name}?`, body, ...(who !== undefined && { who }), version: ports.version }));
  });

  scope.post("/consent/:uid", async (request: Asked, reply) => {
    await interactionOf(request, reply);
    if (!formProven(request, ports)) throw new DeclaredError(FormNotOurs, "The form was too old, or came from elsewhere; nothing was allowed. Begin again in the application.");
    const allowed = fieldOf(request, "decision") === "allow";
    return leadTo(reply, await (allowed ? provider.allow(request.raw, reply.raw, request.id) : provider.refuse(request.raw, reply.raw)));
  });

  async function interactionOf(request: Asked, reply: FastifyReply): Promise<Interaction> {
    const found = await provider.interaction(request.raw, reply.raw);
    if (found?.uid !== request.params.uid || found.prompt !== "consent") {
      throw new DeclaredError(RequestOver, "It was answered before, is too old, or was begun in another browser. Begin again in the application.");
    }
    return found;
  }
}

const identity: Readonly<Record<string, string>> = {
  openid: "know which account is yours", profile: "read your name", email: "read your email address",
};

function scopeList({ registry }: PagePorts, scopes: readonly string[]): Html {
  const asked = scopes.filter((scope) => scope in identity);
  const permissions = scopes.filter((scope) => !(scope in identity));
  return html`<h2>It may</h2><ul class="may">${asked.map((scope) => html`<li>${identity[scope]}</li>`)}
${permissions.map((permission) => html`<li><code>${permission}</code> <span class="muted">${meaning(registry, permission)}</span></li>`)}</ul>
${permissions.length === 0 ? null : html`<p class="muted small">A permission counts only while your own role has it; <a href="/docs/roles">Roles</a> explains them.</p>`}`;
}

const mostShown = 2;

/** What some of the operations behind a permission do. */
function meaning(registry: PagePorts["registry"], permission: string): string {
  const summaries = registry.operations.filter((operation) => operation.permission === permission).map(({ summary }) => summary);
  const more = summaries.length - mostShown;
  return [...summaries.slice(0, mostShown), ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

/** Where the answer goes: as a person reads it, and as a source of a content security policy. */
function targetOf({ redirectUri }: Interaction): { name: string; source: string } | undefined {
  if (redirectUri === undefined || !URL.canParse(redirectUri)) return undefined;
  const { protocol, origin, host } = new URL(redirectUri);
  const web = protocol === "https:" || protocol === "http:";
  return { name: web ? host : protocol, source: web ? origin : protocol };
}

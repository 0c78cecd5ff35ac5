import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DeclaredError, errorType, InvalidInput } from "../../../platform/errors.ts";
import { csrfToken } from "../../../platform/identity/cookies.ts";
import { fieldOf, formProven, issueFormToken } from "./form.ts";
import { html, type Html } from "./html.ts";
import { keepInvitation, keptInvitation } from "./invitation-cookie.ts";
import { page } from "./layout.ts";
import { when } from "./parts.ts";
import type { PagePorts } from "./ports.ts";
import { leadTo, sendPage } from "./respond.ts";
import { errorNote, secondsToWait, withNext } from "./sign-in.ts";
import { standingOf, visitorOf, type Standing, type Visitor } from "./visitor.ts";

const FormNotOurs = errorType("form-not-ours", 403, "The form did not come from this page");
const shortest = 12;

/** What the link of an invitation leads to. */
interface Invitation {
  organization: string;
  role: string;
  state: "pending" | "accepted" | "expired" | "revoked";
  expiresAt: string;
}

interface Given {
  name: string;
  displayName: string;
}

type Asked = FastifyRequest<{ Params: { token?: string } }>;

/**
 * GET and POST /join/{token}: where the link of an invitation leads, and /join, where who signed in meanwhile comes back to
 * it. The token goes to no other page and no other site.
 */
export function mountJoin(scope: FastifyInstance, ports: PagePorts): void {
  // With the origin alone a form still says where it comes from, which `no-referrer` would hide; the path holds the token.
  const onRequest = async (_request: FastifyRequest, reply: FastifyReply): Promise<void> => void reply.header("referrer-policy", "strict-origin");

  async function show(request: Asked, reply: FastifyReply): Promise<FastifyReply> {
    const token = tokenOf(request, ports);
    if (token === undefined) return sendPage(reply, openAgainPage(ports), 410);
    const visitor = visitorOf(ports, request, reply);
    const found = await lookUp(visitor, token);
    if (found instanceof DeclaredError) return refused(ports, reply, found);
    if (found.state !== "pending") return sendPage(reply, overPage(ports, found), 410);
    const standing = await standingOf(visitor);
    if (standing.state === "must-change-password") return leadTo(reply, withNext("/set-password", keepInvitation(reply, token, ports)));
    return sendPage(reply, joinPage(ports, request, reply, { token, found, standing, visitor }));
  }

  async function join(request: Asked, reply: FastifyReply): Promise<FastifyReply> {
    const token = tokenOf(request, ports);
    if (token === undefined) return sendPage(reply, openAgainPage(ports), 410);
    const visitor = visitorOf(ports, request, reply);
    const found = await lookUp(visitor, token);
    if (found instanceof DeclaredError) return refused(ports, reply, found);
    const standing = await standingOf(visitor);
    try {
      if (fieldOf(request, "as") === "me") {
        await visitor.call("invitations.accept", { token });
        return sendPage(reply, joinedPage(ports, found));
      }
      const person = newPerson(request, ports);
      await visitor.callAnonymously("invitations.sign-up", { token, ...person });
      return sendPage(reply, joinedPage(ports, found, person.name));
    } catch (error) {
      if (!(error instanceof DeclaredError) || error.type.status === 401) throw error;
      const wait = secondsToWait(error);
      if (wait !== undefined) void reply.header("retry-after", String(wait));
      const given = { name: fieldOf(request, "name") ?? "", displayName: fieldOf(request, "display") ?? "" };
      return sendPage(reply, joinPage(ports, request, reply, { token, found, standing, visitor, error, given }), error.type.status);
    }
  }

  for (const path of ["/join", "/join/:token"]) {
    scope.get(path, { onRequest }, async (request: Asked, reply) => show(request, reply));
    scope.post(path, { onRequest }, async (request: Asked, reply) => join(request, reply));
  }
}

function tokenOf(request: Asked, ports: PagePorts): string | undefined {
  return request.params.token ?? keptInvitation(request, ports);
}

async function lookUp(visitor: Visitor, token: string): Promise<Invitation | DeclaredError> {
  try {
    return await visitor.callAnonymously<Invitation>("invitations.look-up", { token });
  } catch (error) {
    if (error instanceof DeclaredError && error.type.status < 500) return error;
    throw error;
  }
}

/** What somebody without an account wrote into the form. */
function newPerson(request: FastifyRequest, ports: PagePorts): { name: string; displayName?: string; password: string } {
  if (!formProven(request, ports)) throw new DeclaredError(FormNotOurs, "The form was too old, or came from elsewhere; nothing was done. Fill it in again here.");
  const [name = "", displayName = ""] = ["name", "display"].map((field) => fieldOf(request, field)?.trim());
  const password = fieldOf(request, "new") ?? "";
  if (!/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$/.test(name)) throw new DeclaredError(InvalidInput, "A login name has letters without accents, digits and . _ @ + -, and begins with a letter or digit.");
  if ([...password].length < shortest) throw new DeclaredError(InvalidInput, `The password needs at least ${shortest} characters, of any kind.`);
  if (password !== fieldOf(request, "again")) throw new DeclaredError(InvalidInput, "The password and its repetition differ; type both again.");
  return { name, ...(displayName === "" ? {} : { displayName }), password };
}

interface JoinView {
  token: string;
  found: Invitation;
  standing: Standing;
  visitor: Visitor;
  error?: DeclaredError;
  given?: Given;
}

function joinPage(ports: PagePorts, request: Asked, reply: FastifyReply, view: JoinView): string {
  const { found, standing, error } = view;
  const body = html`<div class="narrow"><h1>Join ${found.organization}</h1>
<p class="muted">You are invited as ${found.role}. The invitation ends ${found.expiresAt.slice(0, 16).replace("T", " ")} UTC.</p>
${error === undefined ? null : errorNote(error)}
${error?.type.code === "member-exists" ? html`<p><a class="button" href="/">Go to the status page</a></p>`
    : standing.state === "signed-in" ? asMe(ports, request, view, standing) : asNewPerson(ports, request, reply, view)}</div>`;
  return page({ title: error === undefined ? `Join ${found.organization}` : "Not joined", body, version: ports.version });
}

function asMe(ports: PagePorts, request: Asked, { visitor }: JoinView, { me }: Extract<Standing, { state: "signed-in" }>): Html {
  return html`<p>You are signed in as <strong>${me.user.displayName}</strong> (${me.user.name}).</p>
<form class="fields" method="post" action="${request.url}">
<input type="hidden" name="csrf" value="${csrfToken(visitor.session?.session ?? "", ports.csrfKey)}"><input type="hidden" name="as" value="me">
<div><button autofocus>Join with this account</button></div>
</form>
<p class="hint">To join with another account, sign out first and open the link again.</p>`;
}

function asNewPerson(ports: PagePorts, request: Asked, reply: FastifyReply, { token, given, error }: JoinView): Html {
  const signIn = html`<a href="${withNext("/sign-in", keepInvitation(reply, token, ports))}">sign in</a>`;
  if (!ports.signIn.passwords) return html`<p>To join, ${signIn} with your organization's own account.</p>`;
  const described = error === undefined ? null : html` aria-describedby="error" aria-invalid="true"`;
  return html`<p>If you have an account here, ${signIn} and join with it.</p>
<form class="fields" method="post" action="${request.url}">
<input type="hidden" name="csrf" value="${issueFormToken(request, reply, ports)}">
<div><label for="name">Login name</label><input id="name" name="name" value="${given?.name ?? ""}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="100" required autofocus${described}></div>
<div><label for="display">Your name</label><input id="display" name="display" value="${given?.displayName ?? ""}" autocomplete="name" maxlength="200"><p class="hint">As others see it.</p></div>
<div><label for="new">Password</label><input id="new" name="new" type="password" autocomplete="new-password" minlength="${shortest}" maxlength="1024" required aria-describedby="hint"><p class="hint" id="hint">At least ${shortest} characters, of any kind.</p></div>
<div><label for="again">Password again</label><input id="again" name="again" type="password" autocomplete="new-password" minlength="${shortest}" maxlength="1024" required></div>
<div><button>Make the account and join</button></div>
</form>`;
}

function joinedPage(ports: PagePorts, { organization, role }: Invitation, name?: string): string {
  const next = name === undefined
    ? html`<p><a class="button" href="/">Go to the status page</a></p><p class="hint">On the command line, <code>qinfra --organization</code> chooses between your organizations.</p>`
    : html`<p>Your login name is <strong>${name}</strong>.</p><p><a class="button" href="/sign-in">Sign in</a></p>`;
  const body = html`<div class="narrow"><h1>You have joined ${organization}</h1>
<p class="muted">Your role is ${role}.</p>
${next}</div>`;
  return page({ title: `You have joined ${organization}`, body, version: ports.version });
}

function overPage(ports: PagePorts, { organization, state, expiresAt }: Invitation): string {
  const why = state === "accepted" ? "It was used: each is good for one person." : state === "revoked" ? "It was taken back." : html`It ended ${when(expiresAt, ports.services.clock.now())}.`;
  const body = html`<div class="narrow"><h1>This invitation is over</h1>
<p>It led to ${organization}. ${why}</p>
<p>Ask whoever sent it for another one. If you have joined already, <a href="/sign-in">sign in</a>.</p></div>`;
  return page({ title: "This invitation is over", body, version: ports.version });
}

/** Where the browser kept no invitation under this name, or no longer. */
function openAgainPage(ports: PagePorts): string {
  const body = html`<div class="narrow"><h1>Open the link again</h1>
<p>This browser does not keep the invitation any more: it does for an hour. Open the link that you were sent once more.</p></div>`;
  return page({ title: "Open the link again", body, version: ports.version });
}

function refused(ports: PagePorts, reply: FastifyReply, error: DeclaredError): FastifyReply {
  const wait = secondsToWait(error);
  if (wait !== undefined) void reply.header("retry-after", String(wait));
  const title = wait === undefined ? "No invitation" : "Too many attempts";
  const body = html`<div class="narrow"><h1>${title}</h1>
${errorNote(error)}</div>`;
  return sendPage(reply, page({ title, body, version: ports.version }), error.type.status);
}

import type { DeclaredError } from "../../../platform/errors.ts";
import type { AccountData, ApiKeyItem, SessionItem } from "./account-data.ts";
import { html, type Html, type HtmlValue } from "./html.ts";
import { page, type SignedIn } from "./layout.ts";
import { chip, count, facts, inside, note, panel, table, when } from "./parts.ts";
import { errorNote } from "./sign-in.ts";

export interface AccountPage {
  data: AccountData;
  who: SignedIn;
  now: number;
  version: string;
  /** Whether the platform checks passwords itself. */
  passwords: boolean;
  /** Where passkeys can be made: here, at another name of this machine (its address), or nowhere. */
  passkeys: { state: "here" } | { state: "elsewhere"; url: string } | { state: "nowhere" };
  /** The first factor needs the password, because the sign-in is a while ago. */
  asksPassword: boolean;
  required: boolean;
  error?: DeclaredError;
}

/** /account: who somebody is, how they sign in, and where they are signed in. */
export function accountPage(view: AccountPage): string {
  const { data, who, error, version, required } = view;
  const body = html`<div class="title"><h1>Your account</h1><p class="muted">${data.me.user.name}</p></div>
${error === undefined ? null : errorNote(error)}
${required && data.factors.length === 0 ? note("warn", html`<p>Your role in ${data.me.organization.name} requires a second factor. Until you <a href="#second-factors">add one</a>, nothing else can be done here.</p>`) : null}
${required && data.factors.length > 0 ? note("warn", html`<p>Your role in ${data.me.organization.name} requires a second factor, and this session began without. <a href="/account/confirm?next=%2F">Give it now</a>.</p>`) : null}
${panel("You", inside(identity(view)), { id: "you" })}
${panel("Second factors", secondFactors(view), { id: "second-factors", ...(data.factors.length === 0 ? { aside: "none" } : {}) })}
${panel("Sessions", sessions(view), { id: "sessions", aside: data.moreSessions ? "the first 100; qinfra sessions list --all shows all" : count(data.sessions.length, "session") })}
${panel("API keys", apiKeys(view), { id: "api-keys", aside: `yours, in ${data.me.organization.name}` })}`;
  return page({ title: "Your account", body, who, version });
}

function identity({ data: { me }, passwords }: AccountPage): Html {
  return html`${facts([
    ["Name", me.user.displayName], ["Login name", me.user.name], ...(me.user.email === undefined ? [] : [["E-mail", me.user.email] as const]),
    ["Organization", me.organization.name], ["Role", me.roles.join(", ")],
  ])}
${passwords ? html`<p><a class="button plain" href="/set-password?next=%2Faccount">Change the password</a></p>` : null}`;
}

function secondFactors({ data, who, now, passkeys, asksPassword }: AccountPage): Html {
  const { factors, recoveryCodes } = data;
  const rows = factors.map((factor) => [
    html`${factor.name} ${factor.kind === "passkey" ? chip("plain", "passkey") : null}`, when(factor.addedAt, now), factor.lastUsedAt === undefined ? "never" : when(factor.lastUsedAt, now),
    act(who, "/account/second-factors/remove", factor.id, "Remove", `Remove ${factor.name}`),
  ]);
  const password = asksPassword && factors.length === 0
    ? (id: string) => html`<div><label for="${id}">Current password</label><input id="${id}" name="current" type="password" autocomplete="current-password" maxlength="1024" required></div>` : () => null;
  return html`${factors.length === 0
    ? inside(html`<p>With a second factor, a stolen password is not enough to act as you. Add an authenticator app or a passkey; with the first come recovery codes.</p>`)
    : table("Second factors", ["Name", "Added", "Last used", "Action"], rows)}
${inside(html`<div class="choices">
${factors.some(({ kind }) => kind === "totp") ? null : start(who, "/account/totp", "Add an authenticator app", password("totp-current"))}
${passkeys.state === "here" ? start(who, "/account/passkeys/begin", "Add a passkey", password("passkey-current")) : null}
${factors.length === 0 ? null : start(who, "/account/recovery-codes", "Make new recovery codes", null)}
</div>
${factors.length === 0 ? null : html`<p class="muted small">${count(recoveryCodes, "recovery code")} left. New ones end the old ones.</p>`}
${passkeys.state === "elsewhere" ? html`<p class="muted small">Passkeys are bound to a name, not an address: to add one, sign in at <a href="${passkeys.url}">${passkeys.url}</a>.</p>` : null}
${passkeys.state === "nowhere" ? html`<p class="muted small">Passkeys are bound to a domain, and this platform is reached by an address; an administrator sets PUBLIC_URL to one with a name.</p>` : null}`)}`;
}

const doors: Record<SessionItem["door"], string> = { browser: "Browser", cli: "Terminal" };

function sessions({ data, who, now }: AccountPage): Html {
  const rows = data.sessions.map((session) => [
    html`${doors[session.door]} ${session.current ? chip("ok", "this one") : null}`, when(session.createdAt, now), when(session.lastSeenAt, now), until(session.expiresAt),
    session.current ? act(who, "/sign-out", session.id, "Sign out", "Sign out of this session") : act(who, "/account/sessions/end", session.id, "End", `End the ${doors[session.door].toLowerCase()} session`),
  ]);
  return table("Sessions", ["Where", "Began", "Last seen", "Until", "Action"], rows);
}

function apiKeys({ data, who, now }: AccountPage): Html {
  if (data.apiKeys === undefined) return inside(html`<p class="muted">Your role does not show API keys.</p>`);
  if (data.apiKeys.length === 0) return inside(html`<p class="muted">You have none. This makes one:</p><pre>qinfra api-keys create NAME --scopes images:read</pre>`);
  return table("API keys", ["Name", "Prefix", "State", "Last used", "Until", "Action"], data.apiKeys.map((key) => [
    html`${key.name} ${key.agent ? chip("info", "agent") : null}`, html`<code>${key.prefix}</code>`, stateOf(key), key.lastUsedAt === undefined ? "never" : when(key.lastUsedAt, now), until(key.expiresAt),
    act(who, "/account/api-keys/revoke", key.id, "Revoke", `Revoke ${key.name}`),
  ]));
}

function stateOf({ state }: ApiKeyItem): Html {
  return chip(state === "active" ? "ok" : "plain", state);
}

function until(time: string): Html {
  return html`<time class="nowrap" datetime="${time}">${time.slice(0, 10)}</time>`;
}

/** A button of a row. */
function act(who: SignedIn, action: string, id: string, text: string, label: string): Html {
  return html`<form class="inline" method="post" action="${action}"><input type="hidden" name="csrf" value="${who.csrf}"><input type="hidden" name="id" value="${id}"><button class="quiet" aria-label="${label}">${text}</button></form>`;
}

function start(who: SignedIn, action: string, text: string, fields: HtmlValue): Html {
  return html`<form class="row" method="post" action="${action}"><input type="hidden" name="csrf" value="${who.csrf}">${fields}<button class="plain">${text}</button></form>`;
}

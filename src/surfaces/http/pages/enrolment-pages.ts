import type { DeclaredError } from "../../../platform/errors.ts";
import { html } from "./html.ts";
import { page, type SignedIn } from "./layout.ts";
import { note } from "./parts.ts";
import { passkeyScriptPath } from "./passkey-script.ts";
import { qrCode } from "./qr-code.ts";
import { passkeyForm } from "./second-factor-parts.ts";
import { errorNote } from "./sign-in.ts";

interface Shown {
  who: SignedIn;
  version: string;
  error?: DeclaredError;
}

/** The secret of a new authenticator app, and the field for its first code. */
export function totpPage({ who, version, error, secret, uri }: Shown & { secret: string; uri: string }): string {
  const described = error === undefined ? html` aria-describedby="code-hint"` : html` aria-describedby="error code-hint" aria-invalid="true"`;
  const body = html`<div class="narrow wide"><h1>Add an authenticator app</h1>
${error === undefined ? null : errorNote(error)}
<p>Scan this with the app, or type the key into it. Both are shown here only.</p>
${qrCode(uri, "QR code for the authenticator app; the key below says the same")}
<p class="muted small">Key <code class="key">${secret.replaceAll(/(.{4})(?=.)/g, "$1 ")}</code></p>
<form class="fields" method="post" action="/account/totp/confirm">
<input type="hidden" name="csrf" value="${who.csrf}"><input type="hidden" name="uri" value="${uri}">
<div><label for="code">First code</label><input class="short" id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required autofocus${described}><p class="hint" id="code-hint">Six digits that the app shows now.</p></div>
<div class="actions"><button>Confirm</button> <a href="/account">Not now</a></div>
</form></div>`;
  return page({ title: "Add an authenticator app", body, who, version });
}

/** The browser is asked to make a passkey by the options. */
export function passkeyPage({ who, version, error, options }: Shown & { options: unknown }): string {
  const body = html`<div class="narrow"><h1>Add a passkey</h1>
${error === undefined ? null : errorNote(error)}
<p class="muted">A passkey is kept by this device, a security key or your password manager. The platform keeps only its public half.</p>
${passkeyForm({
    kind: "create", action: "/account/passkeys", options, hidden: { csrf: who.csrf }, button: "Make the passkey",
    fields: html`<div><label for="name">Name</label><input id="name" name="name" value="Passkey" maxlength="200" required aria-describedby="name-hint"><p class="hint" id="name-hint">By which you will know it again: the device or the key.</p></div>`,
  })}
<p><a href="/account">Not now</a></p></div>`;
  return page({ title: "Add a passkey", body, who, version, script: passkeyScriptPath });
}

/** Recovery codes, which nobody sees again. */
export function recoveryCodesPage({ who, version, codes, endedSessions }: Shown & { codes: readonly string[]; endedSessions: number }): string {
  const body = html`<div class="narrow wide"><h1>Your recovery codes</h1>
<p>Each of them signs you in once, in place of the second factor. Keep them where you keep what matters, and not on the device of that factor.</p>
<ul class="recovery">${codes.map((code) => html`<li>${code}</li>`)}</ul>
${note("warn", html`<p>They are shown here only. Whoever has one and your password can sign in as you.</p>`)}
${endedSessions === 0 ? null : html`<p class="muted">${endedSessions === 1 ? "Your other session, which began without a second factor, has ended." : `Your ${endedSessions} other sessions, which began without a second factor, have ended.`}</p>`}
<p><a class="button" href="/account">I have kept them</a></p></div>`;
  return page({ title: "Your recovery codes", body, who, version });
}

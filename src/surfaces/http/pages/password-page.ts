import type { DeclaredError } from "../../../platform/errors.ts";
import { html } from "./html.ts";
import { issuerButtons } from "./issuer-buttons.ts";
import { page } from "./layout.ts";
import { errorNote } from "./sign-in.ts";

export interface PasswordForm {
  uid: string;
  /** Proves that the form is ours. */
  token: string;
  name: string;
  /** Other issuers at which one may sign in instead. */
  others: readonly { issuer: string; label: string }[];
  next: string;
  /** People sign in on the server's own machine, where its start has told how to get in. */
  here: boolean;
  error?: DeclaredError;
}

export function passwordPage(version: string, { uid, token, name, others, next, here, error }: PasswordForm): string {
  const described = error === undefined ? null : html` aria-describedby="error" aria-invalid="true"`;
  const body = html`<div class="narrow"><h1>Sign in</h1>
${here ? html`<p class="muted">On a fresh platform, <code>npm run up</code> has printed the name and a one-time password.</p>` : null}
${error === undefined ? null : errorNote(error)}
<form class="fields" method="post" action="/sign-in/${uid}">
<input type="hidden" name="csrf" value="${token}">
<div><label for="name">Name</label><input id="name" name="name" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="100" required${name === "" ? html` autofocus` : null}${described}></div>
<div><label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required${name === "" ? null : html` autofocus`}${described}></div>
<div><button>Sign in</button></div>
</form>
${others.length === 0 ? null : html`<h2 class="or">Or with another account</h2>${issuerButtons(others, next)}`}</div>`;
  return page({ title: error === undefined ? "Sign in" : "Not signed in", body, version });
}

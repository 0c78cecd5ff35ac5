import type { DeclaredError } from "../../../platform/errors.ts";
import type { SecondFactors } from "../../../modules/organizations/index.ts";
import { html } from "./html.ts";
import { page } from "./layout.ts";
import { passkeyScriptPath } from "./passkey-script.ts";
import { codeField, passkeyForm } from "./second-factor-parts.ts";
import { errorNote } from "./sign-in.ts";

export interface SecondStepForm {
  uid: string;
  /** Proves that the form is ours. */
  token: string;
  factors: SecondFactors;
  /** What the browser's passkey dialogue takes; undefined where there is nothing to ask for. */
  passkey?: unknown;
  error?: DeclaredError;
}

/** After the right password, for who has a second factor. */
export function secondStepPage(version: string, { uid, token, factors, passkey, error }: SecondStepForm): string {
  const action = `/sign-in/${uid}`;
  const asks = passkey !== undefined;
  const body = html`<div class="narrow"><h1>Confirm that it is you</h1>
<p class="muted">The password is right. This account has a second factor.</p>
${error === undefined ? null : errorNote(error)}
${asks ? passkeyForm({ kind: "get", action, options: passkey, hidden: { csrf: token }, button: "Use a passkey" }) : null}
<form class="fields" method="post" action="${action}">
<input type="hidden" name="csrf" value="${token}">
${codeField({ totp: factors.totp, ...(error !== undefined && { described: "error" }), autofocus: !asks })}
<div class="actions"><button${asks ? html` class="plain"` : null}>Confirm</button></div>
</form>
<form class="inline" method="post" action="${action}"><input type="hidden" name="csrf" value="${token}"><button class="quiet" name="anew" value="yes">Use another account</button></form></div>`;
  return page({ title: error === undefined ? "Second factor" : "Not confirmed", body, version, ...(asks && { script: passkeyScriptPath }) });
}

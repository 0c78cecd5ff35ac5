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
  /** What the browser's passkey dialogue takes; undefined where the person has none that can be used at this address. */
  passkey: unknown;
  error?: DeclaredError;
}

/** After the right password, for who has a second factor. */
export function secondStepPage(version: string, { uid, token, factors, passkey, error }: SecondStepForm): string {
  const action = `/sign-in/${uid}`;
  const asks = passkey !== undefined;
  const codes = factors.totp || factors.recoveryCodes > 0;
  const body = html`<div class="narrow"><h1>Confirm that it is you</h1>
<p class="muted">The password is right. This account has a second factor as well.</p>
${error === undefined ? null : errorNote(error)}
${asks ? html`${passkeyForm({ kind: "get", action, options: passkey, hidden: { csrf: token }, button: "Use a passkey" })}<h2 class="or">Or give a code</h2>` : null}
${codes ? html`<form class="fields" method="post" action="${action}">
<input type="hidden" name="csrf" value="${token}">
${codeField({ totp: factors.totp, autofocus: !asks, ...(error !== undefined && { described: "error" }) })}
<div><button${asks ? html` class="plain"` : null}>Confirm with the code</button></div>
</form>` : null}
${asks || codes ? null : html`<p>Your only second factor is a passkey, and it cannot be used at this address. Open the platform by the name under which you made it, or ask an administrator to reset your second factors.</p>`}
<form class="after" method="post" action="${action}"><input type="hidden" name="csrf" value="${token}"><button class="quiet" name="anew" value="yes">Use another account</button></form></div>`;
  return page({ title: error === undefined ? "Second factor" : "Not confirmed", body, version, ...(asks && { script: passkeyScriptPath }) });
}

import type { DeclaredError } from "../../../platform/errors.ts";
import type { SecondFactors } from "../../../modules/organizations/index.ts";
import { html } from "./html.ts";
import { page } from "./layout.ts";
import { errorNote } from "./sign-in.ts";

export interface SecondStepForm {
  uid: string;
  /** Proves that the form is ours. */
  token: string;
  factors: SecondFactors;
  error?: DeclaredError;
}

/** After the right password, for who has a second factor. */
export function secondStepPage(version: string, { uid, token, factors, error }: SecondStepForm): string {
  const described = error === undefined ? html` aria-describedby="hint"` : html` aria-describedby="error hint" aria-invalid="true"`;
  const hint = factors.totp ? "Six digits from your authenticator app, or one of your recovery codes." : "One of your recovery codes.";
  const body = html`<div class="narrow"><h1>Confirm that it is you</h1>
<p class="muted">The password is right. This account has a second factor.</p>
${error === undefined ? null : errorNote(error)}
<form class="fields" method="post" action="/sign-in/${uid}">
<input type="hidden" name="csrf" value="${token}">
<div><label for="code">Code</label><input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" maxlength="100" required autofocus${described}><p class="hint" id="hint">${hint}</p></div>
<div class="actions"><button>Confirm</button></div>
</form>
<form class="inline" method="post" action="/sign-in/${uid}"><input type="hidden" name="csrf" value="${token}"><button class="quiet" name="anew" value="yes">Use another account</button></form></div>`;
  return page({ title: error === undefined ? "Second factor" : "Not confirmed", body, version });
}

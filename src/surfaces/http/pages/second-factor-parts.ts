import { PolicyDenied, type DeclaredError } from "../../../platform/errors.ts";
import { html, type Html, type HtmlValue } from "./html.ts";

/** Whether somebody was refused who can do nothing in this organization before they have a second factor. */
export function secondFactorRequired({ type, data }: DeclaredError): boolean {
  const reasons = data?.["reasons"];
  return type.code === PolicyDenied.code && Array.isArray(reasons) && reasons.includes("second-factor-required");
}

/** The field `code` of a form. `described` names the element of an error, where there was one. */
export function codeField({ totp, described, autofocus = true }: { totp: boolean; described?: string; autofocus?: boolean }): Html {
  const hint = totp ? "Six digits from your authenticator app, or one of your recovery codes." : "One of your recovery codes.";
  const wrong = described === undefined ? html` aria-describedby="code-hint"` : html` aria-describedby="${described} code-hint" aria-invalid="true"`;
  return html`<div><label for="code">Code</label><input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" maxlength="100" required${autofocus ? html` autofocus` : null}${wrong}><p class="hint" id="code-hint">${hint}</p></div>`;
}

export interface PasskeyForm {
  /** `create` makes one, `get` asks one. */
  kind: "create" | "get";
  action: string;
  /** Options of WebAuthn, as JSON: an operation's answer, or `LocalSignIn.passkeyRequest`. */
  options: unknown;
  /** Hidden fields, such as `csrf` and `next`. */
  hidden: Readonly<Record<string, string>>;
  fields?: HtmlValue;
  button: string;
  quiet?: boolean;
}

/**
 * A form that a passkey fills in: it sends its hidden fields, and the browser's answer as JSON in the field `passkey`.
 * The page has to load `passkeyScriptPath` and to be sent by `sendScriptedPage`; without JavaScript it says why it is not there.
 */
export function passkeyForm({ kind, action, options, hidden, fields, button, quiet = false }: PasskeyForm): Html {
  return html`<form class="fields" method="post" action="${action}" data-passkey="${kind}" data-options="${JSON.stringify(options)}" hidden>
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}<input type="hidden" name="passkey" value="">
${fields}<div><button${quiet ? html` class="plain"` : null}>${button}</button><p class="hint" role="status"></p></div>
</form><noscript><p class="hint">Passkeys need JavaScript, which is off in this browser.</p></noscript>`;
}

import { html, type Html } from "./html.ts";

/** One button for each other issuer at which people sign in. */
export function issuerButtons(issuers: readonly { issuer: string; label: string }[], next: string): Html {
  return html`<ul class="issuers">${issuers.map(({ issuer, label }) => html`<li><a class="button plain" href="/auth/login?${new URLSearchParams({ issuer, next }).toString()}">Sign in with ${label}</a></li>`)}</ul>`;
}

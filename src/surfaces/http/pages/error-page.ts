import {
  DatabaseUnavailable, Draining, InvalidInput, NotFound, PermissionMissing, PolicyDenied, TooManyRequests, Unauthenticated, type DeclaredError,
} from "../../../platform/errors.ts";
import { html, type Html } from "./html.ts";
import { page, type SignedIn } from "./layout.ts";
import { facts, waitText } from "./parts.ts";

/** What happened, why, and the next step, for a browser. */
export function errorPage(error: DeclaredError, { requestId, version, who }: { requestId: string; version: string; who: SignedIn | undefined }): string {
  const { title, status, code } = error.type;
  const body = html`<div class="narrow wide"><h1>${title}</h1>
<p>${error.message}</p>
<p>${nextStep(error)}</p>
${facts([["Status", `${status} ${code}`], ["Request", html`<span class="id">${requestId}</span>`]])}
<p class="muted small">An administrator finds this request in the log by its id.</p></div>`;
  return page({ title, body, ...(who !== undefined && { who }), version });
}

function nextStep(error: DeclaredError): Html {
  const wait = error.data?.["retryAfterSeconds"];
  switch (error.type.code) {
    case NotFound.code:
      return html`Go to the <a href="/">status page</a>, or see the <a href="/docs">API reference</a> for what there is.`;
    case Unauthenticated.code:
      return html`<a href="/sign-in">Sign in</a> and repeat it.`;
    case "sign-in-unfinished":
    case "sign-in-refused":
    case "id-token-refused":
    case "issuer-unknown":
    case "issuer-unavailable":
      return html`<a class="button" href="/sign-in">Sign in again</a>`;
    case "authorization-over":
      return html`Go back to the application, or to the <a href="/">status page</a>.`;
    case "csrf-missing":
      return html`Go back, load the page again and repeat it, or start at the <a href="/">status page</a>.`;
    case PermissionMissing.code:
    case PolicyDenied.code:
      return html`<a href="/docs/roles">Roles</a> shows who may do what. Back to the <a href="/">status page</a>.`;
    case TooManyRequests.code:
      return html`Wait ${typeof wait === "number" ? waitText(wait) : "a moment"}, then load the page again.`;
    case Draining.code:
    case DatabaseUnavailable.code:
      return html`Load the page again in a moment.`;
    case InvalidInput.code:
      return html`Check the address, or go to the <a href="/">status page</a>.`;
    default:
      return html`Go to the <a href="/">status page</a>.`;
  }
}

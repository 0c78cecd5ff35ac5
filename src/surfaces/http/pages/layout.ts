import { html, render, type Html } from "./html.ts";
import { stylesheetPath } from "./stylesheet.ts";

export type NavItem = "status" | "reference" | "roles";

export interface SignedIn {
  user: string;
  organization: string;
  csrf: string;
}

export interface PageSpec {
  title: string;
  body: Html;
  current?: NavItem;
  /** Who is signed in. */
  who?: SignedIn;
  /** Address of a script of ours; the page has to be sent by `sendScriptedPage`. */
  script?: string;
  version: string;
}

const nav: readonly { id: NavItem; href: string; text: string }[] = [
  { id: "status", href: "/", text: "Status" },
  { id: "reference", href: "/docs", text: "API reference" },
  { id: "roles", href: "/docs/roles", text: "Roles" },
];

/** A whole document. */
export function page({ title, body, current, who, script, version }: PageSpec): string {
  return `<!doctype html>\n${render(html`<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} - QL-RF</title>
<link rel="stylesheet" href="${stylesheetPath}">${script === undefined ? null : html`
<script src="${script}" defer></script>`}
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top">
<a class="brand" href="/">QL-RF</a>
<nav aria-label="Main"><ul>${nav.map((item) => html`<li><a href="${item.href}"${item.id === current ? html` aria-current="page"` : null}>${item.text}</a></li>`)}</ul></nav>
${who === undefined ? null : whoIsHere(who)}
</header>
<main id="content">${body}</main>
<footer class="foot"><span>QL-RF, the QuantumLayer Resilience Fabric ${version}</span><span><a href="/openapi.json">openapi.json</a></span></footer>
</body>
</html>`)}\n`;
}

function whoIsHere({ user, organization, csrf }: SignedIn): Html {
  return html`<div class="who"><span><a href="/account"><strong>${user}</strong></a> in ${organization}</span>
<form class="inline" method="post" action="/sign-out"><input type="hidden" name="csrf" value="${csrf}"><button class="quiet">Sign out</button></form></div>`;
}

import type { FastifyInstance, FastifyRequest } from "fastify";
import { createLru } from "../../../platform/identity/lru.ts";
import { osText, type Asset, type AuditEvent, type Feed, type Image, type Summary } from "./answers.ts";
import { attentionBody } from "./attention.ts";
import { html, type Html } from "./html.ts";
import { page } from "./layout.ts";
import { chip, count, facts, inside, note, panel, table, when } from "./parts.ts";
import type { Health, PagePorts } from "./ports.ts";
import { leadTo, sendPage } from "./respond.ts";
import { isOld, matchedCells, summaryChips } from "./severity.ts";
import { withNext } from "./sign-in.ts";
import { readStatus, type Listed, type MachineFindings, type MachineSection, type Section, type StatusData, type StatusQuery } from "./status-data.ts";
import { standingOf, visitorOf, whoOf } from "./visitor.ts";

const mostCached = 50;

/** GET /: what is known here, for whoever is signed in. */
export function mountStatus(scope: FastifyInstance, ports: PagePorts): void {
  const cache = createLru<Summary>(mostCached);
  scope.get("/", async (request, reply) => {
    const visitor = visitorOf(ports, request, reply);
    const standing = await standingOf(visitor);
    if (standing.state === "nobody") return leadTo(reply, "/sign-in");
    if (standing.state === "must-change-password") return leadTo(reply, withNext("/set-password", "/"));
    const data = await readStatus(ports, visitor, standing.me, cursorsOf(request), cache);
    const body = statusBody(data, { now: ports.services.clock.now(), address: addressOf(request, ports.secure) });
    return sendPage(reply, page({ title: "Status", body, current: "status", who: whoOf(ports, visitor, standing.me), version: ports.version }));
  });
}

function cursorsOf(request: FastifyRequest): StatusQuery {
  const { assets, images } = request.query as Record<string, unknown>;
  return { ...(typeof assets === "string" ? { assets } : {}), ...(typeof images === "string" ? { images } : {}) };
}

/** Where the visitor reached us, which is where their CLI can. */
export function addressOf(request: { host: string }, secure: boolean): string {
  const host = /^[\w.:[\]-]{1,255}$/.test(request.host) ? request.host : "localhost:8080";
  return `${secure ? "https" : "http"}://${host}`;
}

export interface StatusView {
  now: number;
  address: string;
}

export function statusBody(data: StatusData, { now, address }: StatusView): Html {
  const attention = attentionBody(data.attention, now);
  const seen = { now, old: data.feeds.shown && data.feeds.value.some((feed) => isOld(feed, now)) };
  return html`<div class="title"><h1>${data.me.organization.name}</h1><p class="muted">You are ${data.me.roles.join(", ")} here. <a href="/account">Your account</a></p></div>
<div class="columns"><div>
${panel("This machine", machineBody(data.machine, seen), { id: "machine", aside: "where the platform runs" })}
${panel("Assets", listOf(data.assets, "assets", (list) => table("Assets", ["Name", "System", "Packages", "Findings", "State", "Scanned"], list.items.map((asset) => assetRow(asset, seen))), "No asset is recorded yet. This records the machine where it runs:", "qinfra scan --host local"))}
${panel("Golden images", listOf(data.images, "images", (list) => table("Golden images", ["Image", "System", "Packages", "Findings", "State", "Registered"], list.items.map((image) => imageRow(image, seen))), "No image is registered yet. Register one from a root file system, an OCI layout, a dpkg status file or an SBOM:", "qinfra scan --rootfs DIR --as-image debian-server:2026.11.1"), { id: "images" })}
</div><div>
${attention === undefined ? null : panel("Needs attention", attention, { id: "attention" })}
${panel("Advisory feeds", feedsBody(data.feeds, now), { id: "feeds" })}
${panel("Platform", healthBody(data.health), { id: "platform", aside: html`<a href="/readyz">readyz</a>` })}
${panel("Recent changes", eventsBody(data.events, now), { id: "changes", aside: "audit log, newest first" })}
${panel("Command line", inside(html`<p>The same operations, from a terminal:</p><pre>qinfra login --url ${address}
qinfra scan --host local
qinfra findings list --asset ID
qinfra whatis CVE-2026-25243</pre><p class="muted small">In a checkout it is <code>bin/qinfra</code>.</p>`), { id: "cli" })}
</div></div>`;
}

/** The time, and whether the advisories are old by now. */
interface Seen {
  now: number;
  old: boolean;
}

function machineBody(machine: MachineSection, { now, old }: Seen): Html {
  switch (machine.state) {
    case "withheld":
      return inside(html`<p class="muted">Shown to members of the platform organization.</p>`);
    case "reading":
      return inside(note("info", html`<p>This machine is being read. <a href="/">Load the page again</a> in a moment.</p>`));
    case "unknown":
      return inside(note("warn", html`<p><strong>Unknown.</strong> This machine could not be read: ${machine.why}</p>`));
    case "read":
      return inside(html`${facts([
        ["Name", machine.name], ["System", machine.os], ["Kernel", html`${machine.kernel}, ${machine.architecture}`],
        ["Packages", machine.packages.length === 0 ? "none found" : machine.packages.map(({ type, count }) => `${count.toLocaleString("en-GB")} ${type}`).join(", ")],
        ["Findings", machineFindings(machine.findings, old)],
        ["Read", when(machine.readAt, now)],
      ])}${machineNext(machine.findings)}`);
  }
}

function machineFindings(findings: MachineFindings, old: boolean): Html {
  if (findings.state === "no-advisories") return chip("unknown", "unknown: no advisories are loaded");
  if (findings.state === "not-shown") return html`${chip("unknown", "unknown")} <span class="muted">${findings.why}</span>`;
  const { summary } = findings;
  return html`${summaryChips(summary, old)}${summary.findings === 0 ? null : html` <span class="muted nowrap">${count(summary.findings, "finding")}, ${count(summary.cves, "CVE")}</span>`}`;
}

function machineNext(findings: MachineFindings): Html {
  if (findings.state === "no-advisories") {
    return note("warn", html`<p>Whether these packages are vulnerable is not known until a feed is loaded:</p><pre>qinfra feeds sync osv
qinfra feeds import FILE</pre>`);
  }
  return html`<p class="muted small">Nothing of this is kept. <code>qinfra scan --host local</code> lists the findings and records this machine as an asset.</p>`;
}

function listOf<T>(section: Section<Listed<T>>, name: string, show: (list: Listed<T>) => Html, empty: string, command: string): Html {
  if (!section.shown) return withheld(section.why);
  const { items, next } = section.value;
  if (items.length === 0) return inside(html`<p>${empty}</p><pre>${command}</pre>`);
  return html`${show(section.value)}${next === undefined ? null : html`<nav class="pager" aria-label="More ${name}"><a href="/?${name}=${encodeURIComponent(next)}#${name}">More ${name}</a></nav>`}`;
}

function assetRow(asset: Listed<Asset>["items"][number], { now, old }: Seen) {
  const [findings, state] = matchedCells(asset.matched, old);
  return [
    html`<a href="/assets/${asset.id}">${asset.name}</a>`, osText(asset.os), asset.packages === null ? chip("unknown", "unknown") : packagesCell(asset.packages),
    findings, state, asset.scannedAt === null ? html`<span class="muted">never</span>` : when(asset.scannedAt, now),
  ];
}

function imageRow(image: Listed<Image>["items"][number], { now, old }: Seen) {
  const [findings, state] = matchedCells(image.matched, old);
  return [html`<a href="/images/${image.id}">${image.family}:${image.version}</a>`, osText(image.os), packagesCell(image.packages), findings, state, when(image.createdAt, now)];
}

function packagesCell(packages: number): Html {
  return html`<span class="number">${packages.toLocaleString("en-GB")}</span>`;
}

function feedsBody(feeds: StatusData["feeds"], now: number): Html {
  if (!feeds.shown) return withheld(feeds.why);
  if (feeds.value.length === 0) {
    return inside(html`<p>${chip("unknown", "none loaded")}</p><p>Without advisories nothing can be said about any package. Import one:</p><pre>qinfra feeds sync osv
qinfra feeds import FILE</pre>`);
  }
  return table("Advisory feeds", ["Feed", "Records", "Newest record"], feeds.value.map((feed) => [
    html`${feed.name}`, html`<span class="number">${feed.records.toLocaleString("en-GB")}</span>`, feedAge(feed, now),
  ]));
}

function feedAge(feed: Feed, now: number): Html {
  const { newest, importedAt } = feed;
  const imported = html`<span class="muted small nowrap">imported ${when(importedAt, now)}</span>`;
  if (newest === null) return html`${chip("unknown", "age unknown")} ${imported}`;
  return html`<span class="nowrap">${when(newest, now)}${isOld(feed, now) ? html` ${chip("warn", "old")}` : null}</span><br>${imported}`;
}

function healthBody({ ready, checks }: Health): Html {
  const wrong = ready ? chip("warn", "degraded") : chip("bad", "not ok");
  return inside(facts(Object.entries(checks).map(([name, state]) => [name, state === "ok" || state.startsWith("ok: ") ? chip("ok", state) : html`${wrong} ${state}`] as const)));
}

function eventsBody(events: Section<readonly AuditEvent[]>, now: number): Html {
  if (!events.shown) return withheld(events.why);
  if (events.value.length === 0) return inside(html`<p>Nothing has changed yet.</p>`);
  return html`<ol class="log">${events.value.map((event) => html`<li><span>${event.type}</span><span class="muted small nowrap">${when(event.time, now)}</span>
<span class="muted small"><span class="id" title="${event.subject}">${shortId(event.subject)}</span> by ${event.door}${event.ai ? html` ${chip("info", "AI")}` : null}</span></li>
`)}</ol>`;
}

/** The end of an id is what tells two of them apart. */
function shortId(id: string): string {
  const at = id.indexOf("_");
  return at > 0 && id.length - at === 27 ? `${id.slice(0, at + 1)}...${id.slice(-8)}` : id;
}

function withheld(why: string): Html {
  return inside(html`<p>${chip("unknown", "not shown")}</p><p class="muted">${why}</p>`);
}

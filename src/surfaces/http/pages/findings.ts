import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DeclaredError, NotFound } from "../../../platform/errors.ts";
import { fromTypeId } from "../../../platform/ids.ts";
import { osText, severities, type Asset, type Feed, type Finding, type Findings, type Image, type PageOf, type Summary } from "./answers.ts";
import { html, type Html, type HtmlValue } from "./html.ts";
import { page } from "./layout.ts";
import { chip, count, facts, inside, note, panel, table, when } from "./parts.ts";
import type { PagePorts } from "./ports.ts";
import { leadTo, sendPage } from "./respond.ts";
import { isOld, severityChip, stateChip, summaryChips } from "./severity.ts";
import { withNext } from "./sign-in.ts";
import { standingOf, visitorOf, whoOf, type Visitor } from "./visitor.ts";

const rows = 100;

/** GET /images/{id} and /assets/{id}: what is known of one thing, with its findings. */
export function mountFindings(scope: FastifyInstance, ports: PagePorts): void {
  scope.get("/images/:id", (request, reply) => show(ports, request, reply, async (visitor, id, now) => {
    const image = await visitor.call<Image>("images.get", { id });
    return { name: `${image.family}:${image.version}`, what: "Golden image", facts: imageFacts(image, now), command: `qinfra findings list --image ${id}` };
  }, "image"));
  scope.get("/assets/:id", (request, reply) => show(ports, request, reply, async (visitor, id, now) => {
    const asset = await visitor.call<Asset>("inventory.get-asset", { id });
    return { name: asset.name, what: "Asset", facts: assetFacts(asset, now), command: `qinfra findings list --asset ${id}` };
  }, "asset"));
}

interface Thing {
  name: string;
  what: string;
  facts: readonly (readonly [string, HtmlValue])[];
  command: string;
}

type ReadThing = (visitor: Visitor, id: string, now: number) => Promise<Thing>;

async function show(ports: PagePorts, request: FastifyRequest, reply: FastifyReply, read: ReadThing, kind: "image" | "asset"): Promise<FastifyReply> {
  const visitor = visitorOf(ports, request, reply);
  const standing = await standingOf(visitor);
  if (standing.state === "nobody") return leadTo(reply, withNext("/sign-in", request.url));
  if (standing.state === "must-change-password") return leadTo(reply, withNext("/set-password", request.url));
  const { id = "" } = request.params as { id?: string };
  if (fromTypeId(kind === "image" ? "img" : "ast", id) === undefined) throw new DeclaredError(NotFound, `This address names no ${kind}: the id at its end is not whole.`);
  const { severity, cursor } = request.query as { severity?: unknown; cursor?: unknown };
  const now = ports.services.clock.now();
  const thing = await read(visitor, id, now);
  const findings = await visitor.call<Findings>("vulnerabilities.list-findings", {
    [kind]: id, limit: rows, ...(typeof severity === "string" ? { severity } : {}), ...(typeof cursor === "string" ? { cursor } : {}),
  });
  const feeds = await visitor.call<PageOf<Feed>>("feeds.list", { limit: 100 });
  const path = `/${kind}s/${encodeURIComponent(id)}`;
  const body = thingBody(thing, findings, { path, old: feeds.items.some((feed) => isOld(feed, now)), ...(typeof severity === "string" ? { severity } : {}) });
  return sendPage(reply, page({ title: thing.name, body, who: whoOf(ports, visitor, standing.me), version: ports.version }));
}

interface ThingView {
  path: string;
  /** The advisories are old by now. */
  old: boolean;
  severity?: string;
}

export function thingBody(thing: Thing, findings: Findings, view: ThingView): Html {
  return html`<div class="title"><h1>${thing.name}</h1><p class="muted">${thing.what}</p></div>
${panel("About", inside(facts([...thing.facts, ["Findings", findings.summary === null ? chip("unknown", "unknown") : summaryChips(findings.summary, view.old)], ["State", stateChip(findings.state)]])))}
${panel("Findings", findingsBody(thing, findings, view), findings.summary === null || findings.summary.findings === 0 ? {} : { aside: `${count(findings.summary.findings, "finding")}, ${count(findings.summary.cves, "CVE")}` })}`;
}

function findingsBody({ command }: Thing, { state, summary, items, next }: Findings, { path, severity }: ThingView): Html {
  if (state === "pending") return inside(note("info", html`<p><strong>Pending.</strong> This software is not matched yet, so nothing is known. <a href="${path}">Load the page again</a> in a moment.</p>`));
  if (state === "never-scanned" || summary === null) return inside(note("warn", html`<p><strong>Unknown.</strong> No software is recorded here; scan it first.</p><pre>qinfra scan --host local</pre>`));
  const filter = html`<nav aria-label="Severity" class="inside"><span class="chips"><a href="${path}">all</a>${severities.filter((one) => summary.bySeverity[one] > 0).map((one) => html` <a href="${path}?severity=${one}"${one === severity ? html` aria-current="true"` : null}>${severityChip(one, summary.bySeverity[one])}</a>`)}</span></nav>`;
  const more = new URLSearchParams({ ...(severity === undefined ? {} : { severity }), ...(next === undefined ? {} : { cursor: next }) });
  return html`${state === "stale" ? inside(note("warn", html`<p><strong>Stale.</strong> Matched with older advisories than those that are loaded now; the platform is matching it again.</p>`)) : null}
${summary.couldNotMatch === 0 ? null : inside(note("warn", html`<p><strong>${count(summary.couldNotMatch, "package")} of ${summary.packages.toLocaleString("en-GB")} could not be matched</strong>: of those it is not known whether they are vulnerable. The report says why:</p><pre>${command.replace("findings list --image", "images report").replace("findings list --asset", "assets report")}</pre>`))}
${summary.findings === 0 ? null : filter}
${items.length === 0 ? inside(html`<p class="muted">${emptyText(summary)}</p>`) : table("Findings", ["Advisory", "Severity", "Source", "Fixed in", "Packages"], items.map(findingRow))}
${next === undefined ? null : html`<nav class="pager" aria-label="More findings"><a href="${path}?${more.toString()}">Next ${rows} findings</a></nav>`}`;
}

function emptyText({ findings, packages, couldNotMatch }: Summary): string {
  if (findings > 0) return "No finding of this severity.";
  if (couldNotMatch === 0) return "No finding.";
  return couldNotMatch >= packages ? "Nothing is known." : "No finding in what could be matched.";
}

function findingRow(finding: Finding): readonly HtmlValue[] {
  const others = finding.aliases.filter((alias) => alias !== finding.advisory);
  return [
    html`<span class="id">${finding.advisory}</span>${others.length === 0 ? null : html`<br><span class="id muted small">${ids(others, 4)}</span>`}${finding.summary === undefined ? null : html`<br><span class="muted small">${finding.summary}</span>`}`,
    severityChip(finding.severity), html`${finding.source}<br><span class="id muted small">${finding.sourceVersion}</span>`,
    finding.fixedVersion === null ? html`<span class="muted">no fix known</span>` : html`<span class="id">${finding.fixedVersion}</span>`,
    html`<span class="small">${listed(finding.packages.map(({ name }) => name), 6)}</span>`,
  ];
}

/** Ids that are not broken at their hyphens. */
function ids(names: readonly string[], most: number): readonly HtmlValue[] {
  const shown = names.slice(0, most).map((name, i) => html`${i === 0 ? "" : ", "}<span class="nowrap">${name}</span>`);
  return names.length <= most ? shown : [...shown, ` and ${names.length - most} more`];
}

function listed(names: readonly string[], most: number): string {
  return names.length <= most ? names.join(", ") : `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

function imageFacts(image: Image, now: number): Thing["facts"] {
  return [
    ["Id", html`<span class="id">${image.id}</span>`], ["System", osText(image.os)], ["Packages", image.packages.toLocaleString("en-GB")],
    ["From", image.source], ...(image.digest === null ? [] : [["Digest", html`<span class="id">${image.digest}</span>`] as const]), ["Registered", when(image.createdAt, now)],
  ];
}

function assetFacts(asset: Asset, now: number): Thing["facts"] {
  return [
    ["Id", html`<span class="id">${asset.id}</span>`], ["System", osText(asset.os)], ["Packages", asset.packages === null ? chip("unknown", "unknown") : asset.packages.toLocaleString("en-GB")],
    ["Kind", asset.kind], ["Site", asset.site ?? "none"], ["Criticality", asset.criticality], ["Exposure", asset.exposure],
    ["Scanned", asset.scannedAt === null ? "never" : when(asset.scannedAt, now)],
  ];
}

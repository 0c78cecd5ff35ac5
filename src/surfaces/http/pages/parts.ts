import { html, type Html, type HtmlValue } from "./html.ts";

export type Tone = "ok" | "info" | "warn" | "bad" | "unknown" | "plain";

export function chip(tone: Tone, text: string): Html {
  return html`<span class="chip ${tone}">${text}</span>`;
}

export function note(tone: Tone, content: HtmlValue): Html {
  return html`<div class="note ${tone}">${content}</div>`;
}

export function panel(title: string, content: HtmlValue, options: { id?: string; aside?: HtmlValue } = {}): Html {
  const id = options.id ?? title.toLowerCase().replaceAll(/[^a-z]+/g, "-");
  return html`<section class="panel" aria-labelledby="${id}"><header><h2 id="${id}">${title}</h2>${options.aside === undefined ? null : html`<p class="muted small">${options.aside}</p>`}</header>${content}</section>`;
}

export function inside(content: HtmlValue): Html {
  return html`<div class="inside">${content}</div>`;
}

/** A table that stacks its cells on a narrow screen; the roles stay when it does, because `display` would take them away. */
export function table(caption: string, columns: readonly string[], rows: readonly (readonly HtmlValue[])[]): Html {
  return html`<table class="stack hidden-caption" role="table"><caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map((column) => html`<th role="columnheader" scope="col">${column}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map((row) => html`<tr role="row">${row.map((cell, i) => (i === 0
    ? html`<th role="rowheader" scope="row">${cell}</th>`
    : html`<td role="cell" data-label="${columns[i]}"><div>${cell}</div></td>`))}</tr>
`)}</tbody></table>`;
}

export function facts(entries: readonly (readonly [string, HtmlValue])[]): Html {
  return html`<dl class="facts">${entries.map(([term, value]) => html`<dt>${term}</dt><dd>${value}</dd>`)}</dl>`;
}

/** `1 package`, `12,345 packages`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en-GB")} ${noun}${number === 1 ? "" : "s"}`;
}

/** Text of a declaration, in which backticks stand round code. */
export function prose(text: string | undefined): readonly HtmlValue[] {
  return (text ?? "").split("`").map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part));
}

const units: readonly [string, number][] = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** How long ago a time was: `3 days ago`. */
export function ago(time: string, now: number): string {
  const seconds = Math.floor((now - Date.parse(time)) / 1000);
  const unit = units.find(([, size]) => seconds >= size);
  if (unit === undefined) return seconds < -60 ? "in the future" : "just now";
  return `${count(Math.floor(seconds / unit[1]), unit[0])} ago`;
}

/** A time as people read it, with the exact one behind it. */
export function when(time: string, now: number): Html {
  return html`<time class="nowrap" datetime="${time}" title="${time}">${ago(time, now)}</time>`;
}

/** How long to wait, rounded up: `40 seconds`, `3 minutes`. */
export function waitText(seconds: number): string {
  return seconds < 90 ? count(Math.max(1, Math.ceil(seconds)), "second") : count(Math.ceil(seconds / 60), "minute");
}

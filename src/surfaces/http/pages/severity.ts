import { severities, type MatchState, type Summary } from "./answers.ts";
import { html, type Html } from "./html.ts";
import { chip, count } from "./parts.ts";
import type { Matched, Section } from "./status-data.ts";

export function severityChip(severity: string, number?: number): Html {
  return html`<span class="chip ${severity}">${number === undefined ? null : `${number.toLocaleString("en-GB")} `}${severity}</span>`;
}

/** The counts of a scan. Only a scan that could tell about every package is shown as good. */
export function summaryChips(summary: Summary): Html {
  const { findings, packages, couldNotMatch } = summary;
  if (packages === 0) return chip("plain", "no packages");
  if (findings === 0 && couldNotMatch >= packages) return chip("unknown", `unknown: none of ${count(packages, "package")} could be matched`);
  if (findings === 0 && couldNotMatch === 0) return chip("ok", "no findings");
  const counts = severities.filter((severity) => summary.bySeverity[severity] > 0).map((severity) => severityChip(severity, summary.bySeverity[severity]));
  return html`<span class="chips">${findings === 0 ? chip("plain", "none found") : counts}${couldNotMatch === 0 ? null : chip("unknown", `${couldNotMatch.toLocaleString("en-GB")} not matched`)}</span>`;
}

const states: Readonly<Record<MatchState, Html>> = {
  current: chip("plain", "current"),
  stale: html`<span title="Matched with older advisories than those that are loaded now">${chip("warn", "stale")}</span>`,
  pending: html`<span title="Not matched yet, so nothing is known">${chip("info", "pending")}</span>`,
  "never-scanned": html`<span title="No software is recorded">${chip("unknown", "never scanned")}</span>`,
};

export function stateChip(state: MatchState): Html {
  return states[state];
}

export function matchedCells(matched: Section<Matched>): readonly [Html, Html] {
  if (!matched.shown) return [chip("unknown", "not shown"), html`<span class="muted small">${matched.why}</span>`];
  const { state, summary } = matched.value;
  return [summary === null ? chip("unknown", "unknown") : summaryChips(summary), stateChip(state)];
}

import { severities, type Feed, type MatchState, type Severity, type Summary } from "./answers.ts";
import { html, type Html } from "./html.ts";
import { chip, count } from "./parts.ts";
import type { Matched, Section } from "./status-data.ts";

export function severityChip(severity: Severity, number?: number): Html {
  const word = severity === "unknown" ? "unknown severity" : severity;
  return html`<span class="chip ${severity}">${number === undefined ? null : `${number.toLocaleString("en-GB")} `}${word}</span>`;
}

const oldMs = 7 * 86_400_000;

/** Whether the newest record of a feed is older than a week, or nobody knows. */
export function isOld({ newest }: Pick<Feed, "newest">, now: number): boolean {
  return newest === null || now - Date.parse(newest) > oldMs;
}

/** The counts of a scan. Only one that could tell about every package, by advisories of these days, is shown as good. */
export function summaryChips(summary: Summary, advisoriesAreOld: boolean): Html {
  const { findings, packages, couldNotMatch } = summary;
  if (packages === 0) return chip("plain", "no packages");
  if (findings === 0 && couldNotMatch >= packages) {
    return html`<span title="None of ${count(packages, "package")} could be matched, so nothing is known">${chip("unknown", "unknown: none matched")}</span>`;
  }
  if (findings === 0 && couldNotMatch === 0) return advisoriesAreOld ? chip("plain", "none in old advisories") : chip("ok", "no findings");
  const counts = severities.filter((severity) => summary.bySeverity[severity] > 0).map((severity) => severityChip(severity, summary.bySeverity[severity]));
  return html`<span class="chips">${findings === 0 ? chip("plain", "none found") : counts}${couldNotMatch === 0 ? null : chip("unknown", `${couldNotMatch.toLocaleString("en-GB")} not matched`)}</span>`;
}

const states: Readonly<Record<MatchState, Html>> = {
  current: html`<span title="Matched with the advisories that are loaded now">${chip("plain", "current")}</span>`,
  stale: html`<span title="Matched with older advisories than those that are loaded now">${chip("warn", "stale")}</span>`,
  pending: html`<span title="Not matched yet, so nothing is known">${chip("info", "pending")}</span>`,
  "never-scanned": html`<span title="No software is recorded">${chip("unknown", "never scanned")}</span>`,
};

export function stateChip(state: MatchState): Html {
  return states[state];
}

/** The cells for findings and for the state that they are in. */
export function matchedCells(matched: Section<Matched>, advisoriesAreOld: boolean): readonly [Html, Html] {
  if (!matched.shown) return [chip("unknown", "not shown"), html`<span class="muted small">${matched.why}</span>`];
  const { state, summary } = matched.value;
  return [summary === null ? chip("unknown", "unknown") : summaryChips(summary, advisoriesAreOld), stateChip(state)];
}

import { severities } from "../domain/advisory.ts";
import type { Severity } from "../domain/advisory.ts";
import type { CouldNotMatch, Finding } from "../domain/finding.ts";
import { cvesOf } from "../domain/report.ts";
import type { ScanReport } from "../domain/report.ts";

export interface TableOptions {
  /** Characters in a line; longer lines are shortened with an ellipsis. Without it nothing is shortened. */
  width?: number;
  colour?: boolean;
}

const heads = ["SEVERITY", "ADVISORY", "SOURCE", "INSTALLED", "FIXED IN", "CVES", "PACKAGES"] as const;
const gap = "  ";
const leastForPackages = 16;

/** What was scanned, then its findings, the worst first, then what could not be matched, by reason. */
export function formatTable(report: ScanReport, { width = Number.POSITIVE_INFINITY, colour = false }: TableOptions = {}): string {
  let head: string[] = [];
  const lines: string[] = [];
  if (report.target !== undefined) head = [shorten(heading(report.target, report.summary.packages), width), ""];
  if (report.findings.length > 0) lines.push(...findingLines(report.findings, width, colour));
  if (report.couldNotMatch.length > 0) {
    if (lines.length > 0) lines.push("");
    lines.push(...openLines(report.couldNotMatch, width));
  }
  if (lines.length === 0) lines.push(report.summary.packages === 0 ? "No packages." : "No findings.");
  return `${[...head, ...lines].join("\n")}\n`;
}

function heading({ name, os }: NonNullable<ScanReport["target"]>, packages: number): string {
  return printable(`${name}: ${os === undefined ? "" : `${os}, `}${packages} package${packages === 1 ? "" : "s"}`);
}

function findingLines(findings: readonly Finding[], width: number, colour: boolean): string[] {
  const worstFirst = findings.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  const rows = worstFirst.map((finding) => ({ finding, cells: cellsOf(finding) }));
  const widths = heads.slice(0, -1).map((head, at) => Math.max(head.length, ...rows.map(({ cells }) => cells[at]?.length ?? 0)));
  const taken = widths.reduce((sum, each) => sum + each + gap.length, 0);
  const beside = width - taken >= leastForPackages;
  const head = [...widths.map((each, at) => (heads[at] ?? "").padEnd(each)), ...(beside ? [heads[6]] : [])];
  const lines = [shorten(head.join(gap).trimEnd(), width)];
  for (const { finding, cells } of rows) {
    const names = finding.packages.map(({ name }) => printable(name));
    const row = [...widths.map((each, at) => (cells[at] ?? "").padEnd(each)), ...(beside ? [listUpTo(names, width - taken)] : [])];
    const text = shorten(row.join(gap).trimEnd(), width);
    lines.push(colour ? coloured(text, finding.severity) : text);
    if (!beside) lines.push(`${gap}${listUpTo(names, width - gap.length)}`);
  }
  return lines;
}

function cellsOf(finding: Finding): string[] {
  const { severity, advisory, source, sourceVersion, fixedVersion } = finding;
  return [severity, advisory, source, sourceVersion, fixedVersion ?? "-", String(cvesOf(finding).length)].map(printable);
}

/** As many names as fit, then how many more there are. */
function listUpTo(names: readonly string[], width: number): string {
  for (let shown = names.length; shown > 0; shown -= 1) {
    const more = names.length - shown;
    const text = `${names.slice(0, shown).join(", ")}${more > 0 ? ` +${more}` : ""}`;
    if (text.length <= width || shown === 1) return shorten(text, width);
  }
  return "";
}

const namedForEachReason = 5;

function openLines(items: readonly CouldNotMatch[], width: number): string[] {
  const byReason = Map.groupBy(items, ({ why }) => why.code);
  const lines = [shorten(`Could not match ${items.length} ${items.length === 1 ? "package" : "packages"}:`, width)];
  for (const [code, group] of byReason) {
    const texts = new Set(group.map(({ why }) => why.text));
    const text = texts.size === 1 ? `: ${printable([...texts][0] ?? "")}` : "";
    lines.push(shorten(`${gap}${group.length} ${code}${text}`, width));
    for (const { what, why } of group.slice(0, namedForEachReason)) {
      const name = printable([what.name, what.version].filter((part) => part !== undefined).join(" "));
      lines.push(shorten(`${gap}${gap}${name}${texts.size === 1 ? "" : `: ${printable(why.text)}`}`, width));
    }
    if (group.length > namedForEachReason) lines.push(shorten(`${gap}${gap}and ${group.length - namedForEachReason} more`, width));
  }
  return lines;
}

/** Names come from strangers: what would move a cursor or change a terminal is shown as a question mark. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
}

function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  return width < 1 ? "" : `${text.slice(0, Math.max(0, width - 1))}…`;
}

const colours: Readonly<Record<Severity, number>> = { critical: 35, high: 31, medium: 33, low: 36, none: 90, unknown: 33 };

function coloured(line: string, severity: Severity): string {
  if (!line.startsWith(severity)) return line;
  return `\u001B[${colours[severity]}m${severity}\u001B[39m${line.slice(severity.length)}`;
}

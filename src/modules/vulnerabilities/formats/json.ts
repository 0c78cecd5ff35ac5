import type { ScanReport } from "../domain/report.ts";

/** The report itself, indented, with a last line break. */
export function formatJson(report: ScanReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

import { printable } from "../errors.ts";

export interface TableOptions {
  /** Columns of the terminal; a table that is wider is cut. */
  width?: number | undefined;
  colour?: boolean;
}

const gap = "  ";
const narrowest = 8;

/** Aligned columns under headings, one row a line. */
export function renderTable(headings: readonly string[], rows: readonly (readonly string[])[], { width, colour = false }: TableOptions = {}): string {
  const cells = [headings, ...rows].map((row) => row.map(printable));
  const widths = fit(headings.map((_, column) => Math.max(...cells.map((row) => widthOfText(row[column] ?? "")))), width);
  const lines = cells.map((row) => row.map((cell, column) => padded(cell, widths[column] ?? 0)).join(gap).trimEnd());
  const [head = "", ...rest] = lines;
  return [colour ? `\x1b[1m${head}\x1b[22m` : head, ...rest].map((line) => `${line}\n`).join("");
}

/**
 * Cuts the widest columns to one width, the largest with which the table fits, never below one that can be read. The
 * first column, which names the row, stays whole where it takes no more than half of the terminal.
 */
function fit(widths: readonly number[], width: number | undefined): number[] {
  if (width === undefined) return [...widths];
  const gaps = gap.length * (widths.length - 1);
  const kept = (widths[0] ?? 0) <= width / 2 ? 1 : 0;
  const cutTo = (most: number): number[] => widths.map((column, at) => (at < kept ? column : Math.min(column, most)));
  let low = narrowest;
  let high = Math.max(narrowest, ...widths);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (cutTo(middle).reduce((sum, column) => sum + column, gaps) <= width) low = middle;
    else high = middle - 1;
  }
  return cutTo(low);
}

function padded(text: string, width: number): string {
  const size = widthOfText(text);
  if (size <= width) return text + " ".repeat(width - size);
  let cut = "";
  let used = 0;
  for (const character of text) {
    const next = widthOfText(character);
    if (used + next > width - 1) break;
    cut += character;
    used += next;
  }
  return `${cut}…${" ".repeat(Math.max(0, width - used - 1))}`;
}

/** Characters of East Asian width "wide" (Unicode TR 11) and pictographs take two cells, combining ones none. */
const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const plain = /^[\x20-\x7e]*$/;

export function widthOfText(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += /\p{M}/u.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

/** A fenced block of a Markdown file. */
export interface Block {
  language: string;
  lines: readonly string[];
  /** Line of the file on which the first line of the block stands, from 1. */
  line: number;
  /** The paragraph before the block. */
  before: string;
}

export function fencedBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split("\n");
  let before = "";
  for (let i = 0; i < lines.length; i += 1) {
    const fence = /^(```+)([a-z]*)/.exec(lines[i] ?? "");
    if (fence === null) {
      if (lines[i] !== "") before = lines[i] ?? "";
      continue;
    }
    const end = lines.indexOf(fence[1] ?? "", i + 1);
    if (end === -1) throw new Error(`the fence of line ${i + 1} is not closed`);
    blocks.push({ language: fence[2] ?? "", lines: lines.slice(i + 1, end), line: i + 2, before });
    i = end;
  }
  return blocks;
}

/** The text without its fenced blocks; lines keep their numbers. */
export function withoutBlocks(text: string): string {
  return text.replaceAll(/^(```+)[\s\S]*?^\1$/gm, (block) => "\n".repeat(block.split("\n").length - 1));
}

/** What stands between single backquotes. */
export function codeSpans(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "");
}

/** Targets of links, without those that leave the repository. */
export function relativeLinks(text: string): { target: string; fragment?: string }[] {
  const targets = [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? "");
  return targets.filter((target) => !/^[a-z]+:/.test(target)).map((target) => {
    const [path = "", fragment] = target.split("#");
    return { target: path, ...(fragment !== undefined && { fragment }) };
  });
}

/** Fragments of the headings, as GitHub makes them. */
export function anchors(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map((match) => (match[1] ?? "").toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-"));
}

/** Rows of the tables whose first heading is `heading`, without the headings. */
export function tableRows(text: string, heading: string): string[][] {
  const rows: string[][] = [];
  let inside = false;
  for (const line of text.split("\n")) {
    if (!line.startsWith("|")) inside = false;
    const cells = line.split("|").slice(1, -1).map((cell) => cell.trim());
    if (inside && !cells.every((cell) => /^:?-+:?$/.test(cell))) rows.push(cells);
    if (line.startsWith("|") && cells[0] === heading) inside = true;
  }
  return rows;
}

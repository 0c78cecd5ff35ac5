/**
 * OpenMetrics 1.0 text as Prometheus text format 0.0.4, for scrapers that know only that: without exemplars and the end
 * mark, and with the suffix of counters in their HELP and TYPE lines.
 */
export function classicText(openMetrics: string): string {
  const lines = openMetrics.split("\n").filter((line) => line !== "# EOF");
  const counters = new Set(lines.flatMap((line) => /^# TYPE (\S+) counter$/.exec(line)?.[1] ?? []));
  return lines.map((line) => {
    if (!line.startsWith("# ")) return line.replace(/ # \{[^}]*\} \S+ \S+$/, "");
    const [, word, name = "", rest] = /^# (HELP|TYPE) (\S+)(.*)$/.exec(line) ?? [];
    return counters.has(name) ? `# ${word} ${name}_total${rest}` : line;
  }).join("\n");
}

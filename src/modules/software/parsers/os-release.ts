import type { OperatingSystem } from "../component.ts";
import { excerpt, InputError } from "../input-error.ts";

/**
 * Reads os-release(5): `NAME=value` lines in the subset of shell syntax that it allows (single quotes, double quotes
 * with backslash escapes, unquoted words). Throws InputError for a line that is none.
 */
export function parseOsRelease(text: string): OperatingSystem {
  const values = new Map<string, string>();
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(line);
    const value = match && unquote(match[2] ?? "");
    if (!match || value === undefined) {
      throw new InputError("malformed", `"${excerpt(line)}" is not a line of os-release(5)`, { line: index + 1 });
    }
    values.set(match[1] ?? "", value ?? "");
  }
  if (values.size === 0) throw new InputError("empty", "there is no line NAME=value in this os-release file");
  const prettyName = values.get("PRETTY_NAME");
  return {
    // os-release(5): "If not set, a default of ID=linux may be used."
    id: values.get("ID") || "linux",
    versionId: values.get("VERSION_ID") ?? "",
    ...(prettyName !== undefined && { prettyName }),
  };
}

function unquote(text: string): string | undefined {
  if (text.startsWith("'")) return /^'([^']*)'$/.exec(text)?.[1];
  if (text.startsWith('"')) return /^"((?:[^"\\]|\\.)*)"$/s.exec(text)?.[1]?.replace(/\\([$"\\`])/g, "$1");
  return /^(?:[^\s"'$`\\]|\\.)*$/s.test(text) ? text.replace(/\\(.)/gs, "$1") : undefined;
}

import type { Component, OperatingSystem } from "../component.ts";
import { excerpt, InputError } from "../input-error.ts";
import { distributionComponent } from "./distribution-package.ts";

/**
 * Reads /lib/apk/db/installed, the package database of Alpine's apk: stanzas of lines `X:value` with P name,
 * V version, A architecture and o origin (the source package). Source: the apk-tools manual page apk-package(5).
 */
export function parseApkInstalled(text: string, os: OperatingSystem | undefined): Component[] {
  const components: Component[] = [];
  let fields = new Map<string, string>();
  let first = 1;
  const close = (): void => {
    if (fields.size > 0) components.push(componentOf(fields, os, first));
    fields = new Map();
  };
  const lines = text.split("\n");
  // apk ends each line; a rest after the last line break is a line that was cut off.
  if (lines.pop() !== "") {
    throw new InputError("truncated", "the file ends in the middle of a line; copy it again", { line: lines.length + 1 });
  }
  for (const [index, line] of lines.entries()) {
    if (line === "") {
      close();
      continue;
    }
    if (line[1] !== ":" || !/[A-Za-z]/.test(line[0] ?? "")) {
      throw new InputError("malformed", `"${excerpt(line)}" is not a line of apk's database`, { line: index + 1 });
    }
    if (fields.size === 0) first = index + 1;
    const key = line[0] ?? "";
    if (!fields.has(key)) fields.set(key, line.slice(2).trim());
  }
  close();
  return components;
}

function componentOf(fields: Map<string, string>, os: OperatingSystem | undefined, line: number): Component {
  const name = fields.get("P");
  if (!name) throw new InputError("malformed", "this stanza has no line P: with the package's name", { line });
  const [version, arch, origin] = [fields.get("V"), fields.get("A"), fields.get("o")];
  return distributionComponent(
    {
      type: "apk",
      name,
      ...(version && { version }),
      ...(arch && { arch }),
      ...(origin && { source: { name: origin } }),
    },
    os,
  );
}

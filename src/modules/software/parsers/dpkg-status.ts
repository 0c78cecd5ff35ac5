import type { Component, OperatingSystem } from "../component.ts";
import { excerpt, InputError } from "../input-error.ts";
import { distributionComponent } from "./distribution-package.ts";

/**
 * States (dpkg(1)) in which a package's files are all on disk: what is unpacked but not configured, or waits for a
 * trigger, is as vulnerable as what is installed. In `half-installed` the files are there in part or not at all.
 */
const onDisk = new Set(["installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"]);
const notOnDisk = new Set(["not-installed", "config-files", "half-installed"]);

export interface DpkgOptions {
  /**
   * `database`: /var/lib/dpkg/status, written by dpkg. `control`: a file of /var/lib/dpkg/status.d, the control data
   * of a package that is installed by lying there; it needs no Status and no final line break.
   */
  kind: "database" | "control";
}

/**
 * Reads the package database of dpkg (deb822): one component for each package that is installed.
 * Throws InputError with the line for text that is no such database or is cut off; nothing is read in part.
 */
export function parseDpkgStatus(
  text: string,
  os: OperatingSystem | undefined,
  { kind }: DpkgOptions = { kind: "database" },
): Component[] {
  const components: Component[] = [];
  for (const stanza of stanzasOf(text, kind)) {
    const component = componentOf(stanza, os, kind);
    if (component) components.push(component);
  }
  return components;
}

interface Stanza {
  line: number;
  fields: Map<string, string>;
  /** Whether the file ends inside it, that is without an empty line after it. */
  last: boolean;
}

const fieldName = /^[!-9;-~]+$/;

/** Only these are kept; of the others only the form is checked. */
const kept = new Set(["package", "status", "architecture", "source", "version"]);

function* stanzasOf(text: string, kind: DpkgOptions["kind"]): Generator<Stanza> {
  let stanza: Stanza | undefined;
  let number = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const line = text.slice(start, newline < 0 ? text.length : newline);
    start = newline < 0 ? text.length : newline + 1;
    number += 1;
    if (newline < 0 && kind === "database") {
      throw new InputError("truncated", "the file ends in the middle of a line; copy it again", { line: number });
    }
    const first = line.charCodeAt(0);
    if (first === space || first === tab) {
      if (stanza) continue;
      throw new InputError("malformed", "a continuation line stands before any field", { line: number });
    }
    if (line === "" || line === "\r") {
      if (stanza) yield stanza;
      stanza = undefined;
      continue;
    }
    stanza ??= { line: number, fields: new Map(), last: false };
    addField(stanza, line, number);
  }
  if (stanza) yield { ...stanza, last: true };
  if (number === 0 && kind === "database") throw new InputError("empty", "the dpkg status file is empty");
}

const space = 0x20;
const tab = 0x09;

function addField(stanza: Stanza, line: string, number: number): void {
  const colon = line.indexOf(":");
  const spelling = line.slice(0, Math.max(colon, 0));
  const name = spelling.toLowerCase();
  if (!kept.has(name)) {
    if (fieldName.test(spelling)) return;
    const what = `"${excerpt(line)}" is not a line "Field: value" of a dpkg status file`;
    throw new InputError("malformed", what, { line: number });
  }
  if (stanza.fields.has(name)) {
    throw new InputError("malformed", `the field ${spelling} is there twice in one stanza`, { line: number });
  }
  stanza.fields.set(name, line.slice(colon + 1).trim());
}

function componentOf(stanza: Stanza, os: OperatingSystem | undefined, kind: DpkgOptions["kind"]): Component | undefined {
  const { fields, line } = stanza;
  const name = fields.get("package");
  if (name === undefined) {
    throw new InputError("malformed", "this stanza has no Package field; the file is no dpkg status file", { line });
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9+._-]*$/.test(name)) {
    throw new InputError("malformed", `"${excerpt(name)}" is not the name of a package`, { line });
  }
  const status = fields.get("status");
  const version = fields.get("version") || undefined;
  // dpkg writes Version after all other fields that are read here, and an empty line after each stanza.
  if (stanza.last && kind === "database" && version === undefined) {
    const what = `the file ends inside the stanza of ${name}, before its version; copy it again`;
    throw new InputError("truncated", what, { line });
  }
  if (status === undefined && kind === "database") {
    throw new InputError("malformed", `the stanza of ${name} has no Status field`, { line });
  }
  if (status !== undefined && !isOnDisk(status, name, line)) return undefined;
  if (version !== undefined && /\s/.test(version)) {
    throw new InputError("malformed", `"${excerpt(version)}" is not a version of ${name}`, { line });
  }
  const arch = fields.get("architecture") || undefined;
  return distributionComponent(
    {
      type: "deb",
      name,
      ...(version !== undefined && { version }),
      ...(arch !== undefined && { arch }),
      source: sourceOf(fields.get("source"), name, line),
    },
    os,
  );
}

function isOnDisk(status: string, name: string, line: number): boolean {
  const state = status.split(/\s+/)[2] ?? "";
  if (onDisk.has(state)) return true;
  if (notOnDisk.has(state)) return false;
  throw new InputError("malformed", `"${excerpt(status)}" is not a status that dpkg writes (package ${name})`, { line });
}

/** `Source: NAME [(VERSION)]`; without the field the package is its own source (Debian policy 5.6.1). */
function sourceOf(field: string | undefined, name: string, line: number): { name: string; version?: string } {
  if (!field) return { name };
  const match = /^(\S+)(?:\s+\(([^()\s]+)\))?$/.exec(field);
  if (!match?.[1]) throw new InputError("malformed", `"${excerpt(field)}" is not the source of ${name}`, { line });
  return { name: match[1], ...(match[2] !== undefined && { version: match[2] }) };
}

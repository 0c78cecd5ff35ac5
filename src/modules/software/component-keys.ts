import { createHash } from "node:crypto";
import type { Component } from "./component.ts";

export interface KeyedComponent extends Component {
  /** The purl, or `name@version` where there is none. */
  key: string;
}

/** The components with their dictionary keys, each key once, sorted by it. */
export function keyed(components: readonly Component[]): KeyedComponent[] {
  const byKey = new Map<string, KeyedComponent>();
  for (const component of components) {
    const key = component.purl ?? `${component.name}@${component.version ?? ""}`;
    if (!byKey.has(key)) byKey.set(key, { ...component, key });
  }
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** SHA-256 of the sorted keys, one a line: equal sets have equal digests whatever order they came in. */
export function digestOf(components: readonly KeyedComponent[]): Buffer {
  const hash = createHash("sha256");
  for (const { key } of components) hash.update(key).update("\n");
  return hash.digest();
}

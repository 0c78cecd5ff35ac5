import { createHash } from "node:crypto";
import type { Component } from "./component.ts";

export interface KeyedComponent extends Component {
  /** The purl, or `name@version` where there is none; its SHA-256 where that is too long for an index. */
  key: string;
}

/** The components with their dictionary keys, each key once, sorted by it. */
export function keyed(components: readonly Component[]): KeyedComponent[] {
  const byKey = new Map<string, KeyedComponent>();
  for (const component of components) {
    const key = shortened(component.purl ?? `${component.name}@${component.version ?? ""}`);
    if (!byKey.has(key)) byKey.set(key, { ...component, key });
  }
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

const mostKeyBytes = 2_000; // a row of the index has room for 2,704, the organization included

function shortened(key: string): string {
  return Buffer.byteLength(key) <= mostKeyBytes ? key : `sha256:${createHash("sha256").update(key).digest("hex")}`;
}

/** SHA-256 of the sorted keys, one a line: equal sets have equal digests whatever order they came in. */
export function digestOf(components: readonly KeyedComponent[]): Buffer {
  const hash = createHash("sha256");
  for (const { key } of components) hash.update(key).update("\n");
  return hash.digest();
}

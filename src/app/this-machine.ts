import type { Logger } from "pino";
import { timestamp, type Clock } from "../platform/clock.ts";
import { collectLocal } from "../modules/inventory/collectors/local.ts";
import type { Component } from "../modules/software/index.ts";

/** What was found on the machine that the server runs on. Nothing of it is stored. */
export type MachineSummary =
  | { state: "reading" }
  | { state: "unknown"; why: string }
  | { state: "read"; name: string; os: string; kernel: string; architecture: string; packages: { type: string; count: number }[]; components: Component[]; readAt: string };

export interface ThisMachine {
  /** What is known now. */
  summary(): MachineSummary;
  /** Resolves when the reading is over, whatever came of it. */
  done: Promise<MachineSummary>;
}

/** Reads this machine in the background, once: an asset's history begins when `qinfra scan --host local` records it. */
export function readThisMachine(ports: { clock: Clock; log: Logger }): ThisMachine {
  let current: MachineSummary = { state: "reading" };
  const done = read(ports.clock)
    .catch((error: unknown): MachineSummary => {
      ports.log.warn({ err: error }, "this machine could not be read");
      return { state: "unknown", why: (error as Error).message };
    })
    .then((summary) => (current = summary));
  return { summary: () => current, done };
}

async function read(clock: Clock): Promise<MachineSummary> {
  const { name, os, components, facts } = await collectLocal();
  const types = new Map<string, number>();
  for (const { purl } of components) {
    const type = purl === undefined ? "unknown" : purl.slice("pkg:".length, purl.indexOf("/"));
    types.set(type, (types.get(type) ?? 0) + 1);
  }
  return {
    state: "read", name, os: os?.prettyName ?? os?.id ?? "unknown operating system", kernel: String(facts["kernel"] ?? "unknown"), architecture: String(facts["architecture"] ?? "unknown"),
    packages: [...types].map(([type, count]) => ({ type, count })).sort((a, b) => b.count - a.count), components, readAt: timestamp(clock),
  };
}

/** One line for the terminal. */
export function machineLine(summary: MachineSummary): string {
  if (summary.state === "reading") return "is still being read";
  if (summary.state === "unknown") return `could not be read: ${summary.why}`;
  const packages = summary.packages.length === 0 ? "no packages found" : summary.packages.map(({ type, count }) => `${count} ${type}`).join(", ");
  return `${summary.name}: ${summary.os}, ${packages} packages`;
}

import { beforeEach, describe, expect, it } from "vitest";
import { metricIds } from "../metrics.ts";
import { exposed, severities, type Exposure } from "./exposure.ts";

let state: Exposure;
let sums: Map<string, number>;
beforeEach(() => {
  state = { targets: new Map(), sets: new Map() };
  sums = new Map();
});

function happens(type: string, subject: string, data: Record<string, unknown> = {}): void {
  for (const { metric, by } of exposed(state, { type, subject, version: 1, data })) sums.set(metric, (sums.get(metric) ?? 0) + by);
}
const scan = (asset: string, set: string): void => happens("software.recorded", asset, { kind: "asset", componentSet: set });
const image = (id: string, set: string): void => happens("software.recorded", id, { kind: "image", componentSet: set });
const match = (set: string, high: number, low = 0): void => happens("vulnerabilities.matched", set, { findings: high + low, bySeverity: { critical: 0, high, medium: 0, low, none: 0, unknown: 0 } });
const now = (): Record<string, number> => Object.fromEntries([...sums].filter(([, value]) => value !== 0).sort());

describe("findings on assets", () => {
  it("count once its software is matched", () => {
    scan("a", "s1");
    expect(now()).toEqual({});
    match("s1", 3, 1);
    expect(now()).toEqual({ "findings.open.high": 3, "findings.open.low": 1, "findings.opened.high": 3, "findings.opened.low": 1 });
  });

  it("of the same software count at once, and once for each asset", () => {
    scan("a", "s1");
    match("s1", 3);
    scan("b", "s1");
    scan("b", "s1");
    expect(now()).toEqual({ "findings.open.high": 6, "findings.opened.high": 6 });
  });

  it("of new software take the place of those before when it is matched, and not earlier", () => {
    scan("a", "s1");
    match("s1", 3, 1);
    scan("a", "s2");
    expect(now()["findings.open.high"]).toBe(3);
    match("s2", 1, 2);
    expect(now()).toEqual({ "findings.open.high": 1, "findings.open.low": 2, "findings.opened.high": 3, "findings.opened.low": 2, "findings.resolved.high": 2 });
  });

  it("follow when the software is matched with newer advisories", () => {
    for (const asset of ["a", "b"]) scan(asset, "s1");
    match("s1", 1);
    match("s1", 4);
    match("s1", 2);
    expect(now()).toEqual({ "findings.open.high": 4, "findings.opened.high": 8, "findings.resolved.high": 4 });
  });

  it("go with the asset", () => {
    scan("a", "s1");
    match("s1", 2);
    scan("b", "s1");
    happens("inventory.asset-deleted", "a");
    expect(now()).toEqual({ "findings.open.high": 2, "findings.opened.high": 4, "findings.resolved.high": 2 });
    match("s1", 5);
    expect(now()["findings.open.high"]).toBe(5);
    happens("inventory.asset-deleted", "nobody");
    happens("inventory.asset-deleted", "a");
    expect(now()["findings.open.high"]).toBe(5);
  });

  it("go back to software that was matched before, whatever was pending", () => {
    scan("a", "s1");
    match("s1", 2);
    scan("a", "s2");
    scan("a", "s1");
    match("s2", 9);
    expect(now()).toEqual({ "findings.open.high": 2, "findings.opened.high": 2 });
  });

  it("of an asset that is deleted before its software is matched never count", () => {
    scan("a", "s1");
    happens("inventory.asset-deleted", "a");
    match("s1", 2);
    expect(now()).toEqual({});
  });
});

it("findings in images are counted apart", () => {
  image("i", "s1");
  scan("a", "s1");
  match("s1", 2);
  image("j", "s1");
  expect(now()).toEqual({ "findings.open.high": 2, "findings.opened.high": 2, "images.findings.high": 4 });
  happens("images.deleted", "i");
  match("s1", 3);
  expect(now()).toEqual({ "findings.open.high": 3, "findings.opened.high": 3, "images.findings.high": 3 });
});

it("whatever happens, what is open is what was opened less what was resolved, and what the sets hold", () => {
  let seed = 20261121;
  const next = (most: number): number => (seed = (seed * 48271) % 2147483647) % most;
  for (let i = 0; i < 2_000; i++) {
    const [asset, set] = [`a${next(6)}`, `s${next(5)}`];
    const what = next(10);
    if (what < 5) scan(asset, set);
    else if (what < 9) match(set, next(8), next(8));
    else happens("inventory.asset-deleted", asset);
    for (const severity of ["high", "low"] as const) {
      const open = sums.get(`findings.open.${severity}`) ?? 0;
      expect(open).toBe((sums.get(`findings.opened.${severity}`) ?? 0) - (sums.get(`findings.resolved.${severity}`) ?? 0));
      expect(open).toBe([...state.targets.values()].reduce((sum, target) => sum + (state.sets.get(target?.counted ?? "")?.counts[severity] ?? 0), 0));
    }
    for (const [id, { assets }] of state.sets) expect(assets).toBe([...state.targets.values()].filter((target) => target?.counted === id).length);
  }
});

it("names metrics that are listed", () => {
  for (const severity of severities) {
    for (const metric of [`findings.open.${severity}`, `findings.opened.${severity}`, `findings.resolved.${severity}`, `images.findings.${severity}`]) expect(metricIds).toContain(metric);
  }
});

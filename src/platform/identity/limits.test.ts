import { describe, expect, it } from "vitest";
import { DeclaredError } from "../errors.ts";
import { createSignInLimits, networkOf } from "./sign-in-limits.ts";
import { createSlidingWindow } from "./sliding-window.ts";

function handClock() {
  let time = 1_000_000;
  return { now: () => time, advance: (ms: number) => void (time += ms) };
}

function refusal(work: () => unknown): DeclaredError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof DeclaredError) return error;
    throw error;
  }
}

describe("a sliding window", () => {
  it("given as many attempts as it allows, then the next is refused until the oldest has left", () => {
    const clock = handClock();
    const window = createSlidingWindow({ most: 2, windowMs: 10_000, clock });
    window.take("a");
    clock.advance(4_000);
    window.take("a");
    expect(refusal(() => window.take("a"))).toMatchObject({ type: { code: "too-many-requests" }, data: { retryAfterSeconds: 6 } });
    window.take("b");
    clock.advance(6_000);
    window.take("a");
    expect(refusal(() => window.take("a"))).toMatchObject({ data: { retryAfterSeconds: 4 } });
  });

  it("given an attempt is taken back, then it does not count", () => {
    const window = createSlidingWindow({ most: 1, windowMs: 10_000, clock: handClock() });
    window.take("a")();
    window.take("a");
    expect(refusal(() => window.take("a"))).toBeDefined();
  });

  it("given more keys than it holds, then the longest unused is forgotten", () => {
    const window = createSlidingWindow({ most: 1, windowMs: 10_000, clock: handClock(), keys: 2 });
    for (const key of ["a", "b", "c"]) window.take(key);
    expect(["c", "b", "a"].map((key) => refusal(() => window.take(key)) === undefined)).toEqual([false, false, true]);
  });
});

describe("sign-in limits", () => {
  const options = { mostOfPair: 2, mostOfAddress: 5, windowMs: 1_000 };

  it("given failures from one address, then the account is refused from there and not from elsewhere", () => {
    const limits = createSignInLimits(handClock(), options);
    limits.attempt("Ada", "192.0.2.1");
    limits.attempt("ada", "192.0.2.1");
    expect(refusal(() => limits.attempt("ADA", "192.0.2.1"))).toBeDefined();
    expect(refusal(() => limits.attempt("ada", "192.0.2.2"))).toBeUndefined();
    expect(refusal(() => limits.attempt("grace", "192.0.2.1"))).toBeUndefined();
  });

  it("given many accounts tried from one address, then the address is refused", () => {
    const limits = createSignInLimits(handClock(), options);
    for (const name of ["a", "b", "c", "d", "e"]) limits.attempt(name, "192.0.2.1");
    expect(refusal(() => limits.attempt("f", "192.0.2.1"))).toBeDefined();
  });

  it("given a locked account is tried on and on, then others of the same address still sign in", () => {
    const limits = createSignInLimits(handClock(), options);
    for (let n = 0; n < 50; n++) refusal(() => limits.attempt("locked", "192.0.2.1"));
    expect(refusal(() => limits.attempt("other", "192.0.2.1"))).toBeUndefined();
  });

  it("given successes, then nothing stays counted", () => {
    const limits = createSignInLimits(handClock(), options);
    for (let n = 0; n < 20; n++) limits.attempt("ada", "192.0.2.1")();
    expect(refusal(() => limits.attempt("ada", "192.0.2.1"))).toBeUndefined();
  });

  it("has an end for right passwords, too, from one address", () => {
    const limits = createSignInLimits(handClock(), { ...options, mostInAll: 30 });
    for (let n = 0; n < 30; n++) limits.attempt("ada", "192.0.2.1")();
    expect(refusal(() => limits.attempt("ada", "192.0.2.1"))).toBeDefined();
    expect(refusal(() => limits.attempt("ada", "192.0.2.2"))).toBeUndefined();
    expect(refusal(() => limits.attempt("grace", "192.0.2.1"))).toBeUndefined();
  });

  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
    ["local", "local"],
  ])("given the address %s, then it counts as %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

import { expect, it } from "vitest";
import { createStrangerGate } from "./stranger-gate.ts";

const gateAt = (options: { burst: number; perSecond: number }) => {
  const clock = { time: 0, now: () => clock.time };
  return { clock, gate: createStrangerGate(clock, options) };
};

it("lets wrong credentials through up to the burst, then none until time has passed", () => {
  const { clock, gate } = gateAt({ burst: 3, perSecond: 1 });
  for (let i = 0; i < 3; i++) gate.enter("192.0.2.1")(true);
  expect(() => gate.enter("192.0.2.1")).toThrow("Too many wrong credentials");
  expect(() => gate.enter("192.0.2.2")(true)).not.toThrow();
  clock.time = 1_000;
  gate.enter("192.0.2.1")(true);
  expect(() => gate.enter("192.0.2.1")).toThrow("wait 1 s");
});

it("lets any number of right ones through at once", () => {
  const { gate } = gateAt({ burst: 3, perSecond: 1 });
  const inside = Array.from({ length: 500 }, () => gate.enter("192.0.2.1"));
  for (const leave of inside) leave(false);
  expect(() => gate.enter("192.0.2.1")).not.toThrow();
});

it("lets no more in at once than may still be wrong, once one was", () => {
  const { gate } = gateAt({ burst: 3, perSecond: 1 });
  gate.enter("192.0.2.1")(true);
  gate.enter("192.0.2.1");
  gate.enter("192.0.2.1");
  expect(() => gate.enter("192.0.2.1")).toThrow("Too many wrong credentials");
});

it("counts an IPv6 network as one caller", () => {
  const { gate } = gateAt({ burst: 1, perSecond: 1 });
  gate.enter("2001:db8:0:1::1")(true);
  expect(() => gate.enter("2001:db8:0:1:ffff::2")).toThrow("Too many wrong credentials");
  expect(() => gate.enter("2001:db8:0:2::1")).not.toThrow();
});

import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { createLag, watchReplica, type ReplicaStatus } from "./replica.ts";

describe("how old a replica's answers may be", () => {
  const cases: { title: string; steps: readonly (["written", number, number] | ["replayed", number])[]; upTo: number | undefined }[] = [
    { title: "nothing is known before it was asked", steps: [["written", 1_000, 10]], upTo: undefined },
    { title: "it has what the primary had", steps: [["written", 1_000, 10], ["replayed", 10]], upTo: 1_000 },
    { title: "an idle primary does not make it look old", steps: [["written", 1_000, 10], ["replayed", 10], ["written", 60_000, 10], ["replayed", 10]], upTo: 60_000 },
    { title: "it is behind by what it has not replayed", steps: [["written", 1_000, 10], ["replayed", 10], ["written", 2_000, 20], ["replayed", 19], ["written", 3_000, 30], ["replayed", 19]], upTo: 1_000 },
    { title: "it catches up with a part", steps: [["written", 1_000, 10], ["written", 2_000, 20], ["written", 3_000, 30], ["replayed", 25]], upTo: 2_000 },
    { title: "one that was made anew from an older copy is not trusted", steps: [["written", 1_000, 10], ["replayed", 10], ["written", 2_000, 20], ["replayed", 5]], upTo: undefined },
  ];
  it.each(cases)("$title", ({ steps, upTo }) => {
    const lag = createLag();
    for (const step of steps) {
      if (step[0] === "written") lag.written(step[1], step[2]);
      else lag.replayed(step[1]);
    }
    expect(lag.upTo()).toBe(upTo);
  });

  it("keeps few samples of a replica that stands still, and never thinks it newer for that", () => {
    const lag = createLag();
    for (let i = 1; i <= 10_000; i++) lag.written(i * 1_000, i);
    lag.replayed(5_000);
    expect(lag.upTo()).toBe(1_000);
    lag.replayed(10_000);
    expect(lag.upTo()).toBe(10_000_000);
  });
});

describe("watching a replica", () => {
  const cluster = "7";
  const standby = { standby: true, lsn: 10, cluster };
  const cases: { title: string; primary: unknown; replica: unknown; laterMs: number; status: ReplicaStatus; readable: boolean }[] = [
    { title: "one that has all", primary: { lsn: 10, cluster }, replica: standby, laterMs: 900, status: { state: "ok", staleSeconds: 1 }, readable: true },
    { title: "one that was not asked for long", primary: { lsn: 10, cluster }, replica: standby, laterMs: 30_001, status: { state: "behind", staleSeconds: 31 }, readable: false },
    { title: "one that never had all", primary: { lsn: 11, cluster }, replica: standby, laterMs: 0, status: { state: "behind" }, readable: false },
    { title: "one of another database", primary: { lsn: 10, cluster: "8" }, replica: standby, laterMs: 0, status: { state: "not a replica of this database" }, readable: false },
    { title: "a primary", primary: { lsn: 10, cluster }, replica: { standby: false, lsn: null, cluster }, laterMs: 0, status: { state: "not a replica of this database" }, readable: false },
    { title: "one that does not answer", primary: { lsn: 10, cluster }, replica: new Error("no route"), laterMs: 0, status: { state: "does not answer" }, readable: false },
    { title: "one whose primary does not answer", primary: new Error("no route"), replica: standby, laterMs: 0, status: { state: "behind" }, readable: false },
  ];
  it.each(cases)("$title", async ({ primary, replica, laterMs, status, readable }) => {
    let now = 1_000;
    const watch = watchReplica({ primary: answering(primary), replica: answering(replica), log: pino({ level: "silent" }), now: () => now, everyMs: 3_600_000 });
    await watch.poll();
    now += laterMs;
    expect({ status: watch.status(), readable: watch.readableUpTo() !== undefined }).toEqual({ status, readable });
    watch.stop();
  });

  it("leaves one alone whose read failed, until it answers again", async () => {
    const watch = watchReplica({ primary: answering({ lsn: 10, cluster }), replica: answering(standby), log: pino({ level: "silent" }), now: () => 1_000, everyMs: 3_600_000 });
    await watch.poll();
    watch.failed();
    expect(watch.readableUpTo()).toBeUndefined();
    await watch.poll();
    expect(watch.readableUpTo()).toBe(1_000);
    watch.stop();
  });
});

function answering(answer: unknown): Parameters<typeof watchReplica>[0]["primary"] {
  return { query: async () => (answer instanceof Error ? Promise.reject(answer) : { rows: [answer] }) } as never;
}

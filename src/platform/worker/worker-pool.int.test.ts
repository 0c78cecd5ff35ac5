import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from "./worker-pool.ts";

const entry = new URL("./testing-tasks.ts", import.meta.url);
const pools: WorkerPool[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

function newPool(more: Partial<WorkerPoolOptions> = {}): WorkerPool {
  const pool = createWorkerPool({ entry, size: 1, maxQueue: 10, ...more });
  pools.push(pool);
  return pool;
}

/** [how many tasks run, whether they may end]. */
const gate = () => new Int32Array(new SharedArrayBuffer(8));
function openGate(shared: Int32Array): void {
  Atomics.store(shared, 1, 1);
  Atomics.notify(shared, 1);
}
const running = (shared: Int32Array, count: number) => vi.waitFor(() => expect(Atomics.load(shared, 0)).toBe(count), { timeout: 10_000 });

describe("run", () => {
  it("gives results in whatever order and for whatever size of pool", async () => {
    for (const size of [1, 2]) {
      const pool = newPool({ size, maxQueue: 100 });
      const all = Array.from({ length: 50 }, (_, n) => pool.run<number>(n % 2 === 0 ? "square" : "later", n));
      expect(await Promise.all(all)).toEqual(Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? n * n : n)));
    }
  });

  it("uses one thread again, and as many as it may when there is work", async () => {
    const pool = newPool({ size: 2 });
    expect(await pool.run("thread", null)).toBe(await pool.run("thread", null));
    const shared = gate();
    const both = [pool.run("hold", shared), pool.run("hold", shared)];
    await running(shared, 2);
    openGate(shared);
    expect(new Set(await Promise.all(both)).size).toBe(2);
  });

  it.each([
    ["fail", "no good", { name: "Error", message: "no good" }],
    ["declared", null, { name: "DeclaredError", message: "line 3", type: { code: "sbom-invalid", status: 400 }, data: { line: 3 } }],
    ["text", null, { message: "just text" }],
    ["missing", null, { message: expect.stringMatching(/no task missing; the worker knows square/) }],
    ["toString", null, { message: expect.stringMatching(/no task toString/) }],
    ["uncloneable", null, { message: expect.stringMatching(/could not be cloned/) }],
    ["square", () => 1, { message: expect.stringMatching(/could not be cloned/) }],
  ])("rejects with what goes wrong in %s, and the thread goes on", async (task, data, error) => {
    const pool = newPool();
    const before = await pool.run("thread", null);
    await expect(pool.run(task, data)).rejects.toMatchObject(error);
    expect(await pool.run("thread", null)).toBe(before);
  });

  it.each([
    ["exit", /of the task exit ended with code 3/],
    ["crash", /of the task crash crashed: boom/],
    ["memory", /of the task memory ran out of memory/],
  ])("rejects the task of a thread that dies (%s), and puts another in its place", async (task, message) => {
    const pool = newPool({ maxHeapMb: 32 });
    const before = await pool.run("thread", null);
    const dying = pool.run(task, null);
    const waiting = pool.run("square", 3);
    await expect(dying).rejects.toMatchObject({ type: { code: "worker-failed" }, message: expect.stringMatching(message) });
    expect(await waiting).toBe(9);
    expect(await pool.run("thread", null)).not.toBe(before);
  });

  it("rejects each task when the entry cannot be loaded", async () => {
    const pool = newPool({ entry: new URL("./not-there.ts", import.meta.url) });
    const all = await Promise.allSettled([pool.run("square", 1), pool.run("square", 2)]);
    for (const one of all) expect(one).toMatchObject({ status: "rejected", reason: { type: { code: "worker-failed" }, message: expect.stringMatching(/not-there/) } });
  });

  it("refuses what neither runs nor fits the queue", async () => {
    const pool = newPool({ maxQueue: 1 });
    const shared = gate();
    const first = pool.run("hold", shared);
    await running(shared, 1);
    const second = pool.run("square", 2);
    await expect(pool.run("square", 3)).rejects.toMatchObject({ type: { code: "busy", status: 503 } });
    openGate(shared);
    await first;
    expect(await second).toBe(4);
  });
});

describe("cancellation", () => {
  it("ends a task in the middle of a computation, and another thread takes the next", async () => {
    const pool = newPool();
    const before = await pool.run("thread", null);
    const shared = gate();
    const controller = new AbortController();
    const spinning = pool.run("spin", shared, controller.signal);
    const next = pool.run("thread", null);
    await running(shared, 1);
    controller.abort();
    await expect(spinning).rejects.toMatchObject({ type: { code: "cancelled" }, message: "The task spin was cancelled by its caller." });
    expect(await next).not.toBe(before);
  });

  it("takes a waiting task out of the queue, and leaves the running one alone", async () => {
    const pool = newPool({ maxQueue: 1 });
    const shared = gate();
    const first = pool.run("hold", shared);
    await running(shared, 1);
    const controller = new AbortController();
    const second = pool.run("square", 2, controller.signal);
    controller.abort();
    await expect(second).rejects.toMatchObject({ type: { code: "cancelled" } });
    const third = pool.run("square", 3);
    openGate(shared);
    expect([typeof (await first), await third]).toEqual(["number", 9]);
  });

  it("does not begin what is cancelled already, and forgets the signal when the task is done", async () => {
    const pool = newPool();
    await expect(pool.run("square", 1, AbortSignal.abort())).rejects.toMatchObject({ type: { code: "cancelled" } });
    const controller = new AbortController();
    const before = await pool.run("thread", null, controller.signal);
    controller.abort();
    expect(await pool.run("thread", null)).toBe(before);
  });
});

describe("the threads", () => {
  it("end after a while without work", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const pool = newPool({ idleMs: 1000 });
    const before = await pool.run("thread", null);
    vi.advanceTimersByTime(999);
    expect(await pool.run("thread", null)).toBe(before);
    vi.advanceTimersByTime(999);
    expect(await pool.run("thread", null)).toBe(before);
    vi.advanceTimersByTime(1000);
    expect(await pool.run("thread", null)).not.toBe(before);
  });

  it("do not keep a process alive that has nothing else to do", async () => {
    const script = `import { createWorkerPool } from ${JSON.stringify(new URL("./worker-pool.ts", import.meta.url).href)};
      const pool = createWorkerPool({ entry: new URL(${JSON.stringify(entry.href)}), size: 1, maxQueue: 1 });
      console.log(await pool.run("square", 7));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { timeout: 15_000 });
    expect(stdout).toBe("49\n");
  });

  it("end with the pool, with a clear error for what ran, waited or comes later", async () => {
    const pool = newPool();
    const shared = gate();
    const tasks = [pool.run("spin", shared), pool.run("square", 1)];
    await running(shared, 1);
    const outcomes = Promise.allSettled(tasks);
    await pool.close();
    for (const one of await outcomes) expect(one).toMatchObject({ status: "rejected", reason: { type: { code: "workers-closed" } } });
    await expect(pool.run("square", 1)).rejects.toMatchObject({ type: { code: "workers-closed" } });
    await pool.close();
  });
});

import { afterAll, beforeAll, expect, it } from "vitest";
import { readByPosition } from "./read.ts";
import { eventsFixture, until, type EventsFixture } from "./testing.ts";

let log: EventsFixture;
beforeAll(async () => {
  log = await eventsFixture();
});
afterAll(() => log.close());

/** Prints its figures; `npm run bench` measures with 32 clients and on a disk that syncs. */
it("gives 8 writers of one organization their positions while they write", async () => {
  const [writers, each] = [8, 500];
  const batches: number[] = [];
  log.sealer({ metrics: { batch: ({ events }) => batches.push(events) } });
  const committed = new Map<string, number>();
  const seen = new Map<string, number>();
  let position = 0;
  let reading = Promise.resolve();
  log.line().on("events_sealed", () => {
    reading = reading.then(async () => {
      const page = await log.database.system((db) => readByPosition(db, position, { limit: 1_000 }));
      const now = performance.now();
      for (const event of page.events) seen.set(event.id, now);
      position = page.end;
    });
  });

  const started = performance.now();
  await Promise.all(Array.from({ length: writers }, async (_, writer) => {
    for (let i = 0; i < each; i++) committed.set(await log.append({ subject: `w${writer}_${i}` }), performance.now());
  }));
  const seconds = (performance.now() - started) / 1_000;
  await until(() => seen.size >= writers * each);

  const delays = [...committed].map(([id, at]) => Math.max(0, (seen.get(id) ?? Infinity) - at)).sort((a, b) => a - b);
  const at = (share: number): string => (delays[Math.floor(delays.length * share)] ?? Infinity).toFixed(1);
  process.stdout.write(`${Math.round((writers * each) / seconds)} appends/s by ${writers} writers; commit to position as a reader sees it: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms; ${batches.length} batches\n`);
  expect(delays.at(-1)).toBeLessThan(5_000);
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemTimer } from "../events/index.ts";
import { eventsFixture, silent, until, type EventsFixture } from "../events/testing.ts";
import { followChanges } from "./follow-changes.ts";
import { createMemoryCache } from "./memory-cache.ts";

let log: EventsFixture;
beforeAll(async () => {
  log = await eventsFixture();
});
afterAll(() => log.close());

describe("changes of other servers", () => {
  it("end what this server kept, once they are sealed", async () => {
    const sealer = log.sealer();
    const cache = createMemoryCache({ now: () => 0 }, { behind: () => changes.behind() });
    const changes = followChanges({ database: log.database, line: log.line(), timer: systemTimer, log: silent }, ({ orgId, subjects }) => cache.invalidate(orgId, subjects));
    await until(() => !changes.behind());
    const entry = { orgId: log.orgId, key: "image:1", subjects: ["img_1"], seconds: 60 };
    await cache.through(entry, async () => "old");
    expect(await cache.through(entry, async () => "new")).toBe("old");
    await log.append({ subject: "img_1" });
    await until(async () => (await cache.through(entry, async () => "new")) === "new");
    await changes.stop();
    await sealer.stop();
  });

  it("make it trust nothing while the log cannot be read", async () => {
    const failing = { ...log.database, lookup: () => Promise.reject(new Error("away")) };
    const changes = followChanges({ database: failing, line: log.line(), timer: systemTimer, log: silent }, async () => undefined);
    const cache = createMemoryCache({ now: () => 0 }, { behind: () => changes.behind() });
    const entry = { orgId: log.orgId, key: "image:2", subjects: ["img_2"], seconds: 60 };
    await cache.through(entry, async () => "old");
    expect(await cache.through(entry, async () => "new")).toBe("new");
    await changes.stop();
  });
});

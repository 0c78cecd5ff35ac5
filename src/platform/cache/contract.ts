import { describe, expect, it } from "vitest";
import type { Cache } from "./types.ts";

export interface CachesUnderTest {
  /** Two servers' caches that share their second level, where the adapter has one; otherwise twice the same. */
  one: Cache;
  other: Cache;
  /** Waits until `other` has learnt what `one` was told. */
  settled(): Promise<void>;
  /** Lets the adapter's time pass. */
  pass(ms: number): Promise<void>;
}

let unique = 0;

/** What every adapter of the cache port does. */
export function cacheContract(name: string, open: () => Promise<CachesUnderTest>): void {
  const orgId = "0190a0b0-0000-7000-8000-000000000001";
  const otherOrgId = "0190a0b0-0000-7000-8000-000000000002";
  const entryOf = (key: string) => ({ orgId, key: `${key}:${(unique += 1)}`, subjects: [`img_${unique}`], seconds: 60 });

  describe(`cache: ${name}`, () => {
    it("loads once, then answers what it kept", async () => {
      const { one } = await open();
      const entry = entryOf("image");
      let loads = 0;
      const load = async () => ({ loads: (loads += 1) });
      expect([await one.through(entry, load), await one.through(entry, load)]).toEqual([{ loads: 1 }, { loads: 1 }]);
    });

    it("loads once for many who ask at once", async () => {
      const { one } = await open();
      const entry = entryOf("stampede");
      let loads = 0;
      const answers = await Promise.all(Array.from({ length: 50 }, () => one.through(entry, async () => (loads += 1))));
      expect(new Set(answers)).toEqual(new Set([1]));
      expect(loads).toBe(1);
    });

    it("keeps nothing of a loading that failed", async () => {
      const { one } = await open();
      const entry = entryOf("failed");
      await expect(one.through(entry, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
      expect(await one.through(entry, async () => "yes")).toBe("yes");
    });

    it("keeps organizations apart under the same key", async () => {
      const { one } = await open();
      const entry = entryOf("tenant");
      await one.through(entry, async () => "of the first");
      expect(await one.through({ ...entry, orgId: otherOrgId }, async () => "of the second")).toBe("of the second");
    });

    it("ends an entry when one of its subjects changes, on every server, and no other", async () => {
      const { one, other, settled } = await open();
      const [entry, untouched] = [entryOf("changed"), entryOf("untouched")];
      for (const cache of [one, other]) for (const each of [entry, untouched]) await cache.through(each, async () => "old");
      await one.invalidate(orgId, entry.subjects);
      expect(await one.through(entry, async () => "new")).toBe("new");
      await settled();
      expect(await other.through(entry, async () => "new")).toBe("new");
      expect(await other.through(untouched, async () => "new")).toBe("old");
    });

    it("does not keep what was read before a change that came while it was loaded", async () => {
      const { one, other, settled } = await open();
      const entry = entryOf("race");
      const stale = one.through(entry, async () => {
        await other.invalidate(orgId, entry.subjects);
        await settled();
        return "old";
      });
      expect(await stale).toBe("old");
      await settled();
      expect(await one.through(entry, async () => "new")).toBe("new");
      expect(await other.through(entry, async () => "never asked, or the same")).not.toBe("old");
    });

    it("ends everything of an organization, and nothing of another", async () => {
      const { one, other, settled } = await open();
      const entry = entryOf("cleared");
      await one.through(entry, async () => "old");
      await one.through({ ...entry, orgId: otherOrgId }, async () => "old");
      await one.clear(orgId);
      await settled();
      expect(await other.through(entry, async () => "new")).toBe("new");
      expect(await one.through({ ...entry, orgId: otherOrgId }, async () => "new")).toBe("old");
    });

    it("keeps nothing longer than it may", async () => {
      const { one, pass } = await open();
      const entry = { ...entryOf("short"), seconds: 1 };
      await one.through(entry, async () => "old");
      await pass(1_100);
      expect(await one.through(entry, async () => "new")).toBe("new");
    });
  });
}

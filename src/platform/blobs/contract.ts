import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { BlobStore } from "./types.ts";

const orgA = "0193b5a0-0000-7000-8000-00000000000a";
const orgB = "0193b5a0-0000-7000-8000-00000000000b";

/** What every adapter of the blob port must do. `open` gives an empty store whose blobs may have at most 100,000 bytes. */
export function blobsContract(adapter: string, open: () => Promise<BlobStore>): void {
  describe(`blobs contract: ${adapter}`, () => {
    it.each([0, 1, 99_999, 100_000])("gives back what it stored: %i bytes", async (size) => {
      const blobs = await open();
      const bytes = Buffer.alloc(size, 7);
      const { digest, size: stored } = await blobs.put(orgA, bytes);
      expect({ digest, stored }).toEqual({ digest: createHash("sha256").update(bytes).digest("hex"), stored: size });
      expect(Buffer.from((await blobs.get(orgA, digest)) ?? "missing")).toEqual(bytes);
    });

    it("stores the same bytes once, also when that happens at the same time", async () => {
      const blobs = await open();
      const all = await Promise.all(Array.from({ length: 8 }, () => blobs.put(orgA, Buffer.from("same"))));
      expect(new Set(all.map((one) => one.digest)).size).toBe(1);
      expect(Buffer.from((await blobs.get(orgA, all[0]?.digest ?? "")) ?? "").toString()).toBe("same");
    });

    it("keeps organizations apart", async () => {
      const blobs = await open();
      const { digest } = await blobs.put(orgA, Buffer.from("of a"));
      await blobs.point(orgA, "report.json", Buffer.from("of a"));
      expect(await blobs.get(orgB, digest)).toBeUndefined();
      expect(await blobs.read(orgB, "report.json")).toBeUndefined();
    });

    it("says undefined for what is not there", async () => {
      const blobs = await open();
      expect(await blobs.get(orgA, "0".repeat(64))).toBeUndefined();
      expect(await blobs.read(orgA, "sboms/x/sbom.json")).toBeUndefined();
    });

    it.each([
      "golden-images/aws/ubuntu-22.04/image.json", "sboms/img_01jd0000000000000000000000/sbom.json", "scan-results/scn_01jd0000000000000000000000/report.json",
      "compliance-reports/2026/11/report.pdf", "attestations/img_01jd0000000000000000000000/signature.sig",
    ])("has room for %s of two organizations", async (name) => {
      const blobs = await open();
      for (const org of [orgA, orgB]) await blobs.point(org, name, Buffer.from(org));
      for (const org of [orgA, orgB]) expect(Buffer.from((await blobs.read(org, name)) ?? "").toString()).toBe(org);
    });

    it("takes what several writers give one name at once, and keeps one of them whole", async () => {
      const blobs = await open();
      const written = Array.from({ length: 8 }, (_, i) => Buffer.alloc(5_000, i));
      await Promise.all(written.map((bytes) => blobs.point(orgA, "report.json", bytes)));
      const kept = Buffer.from((await blobs.read(orgA, "report.json")) ?? "");
      expect(written.some((bytes) => bytes.equals(kept))).toBe(true);
    });

    it("replaces what a name points to", async () => {
      const blobs = await open();
      await blobs.point(orgA, "sboms/img-1/sbom.json", Buffer.from("one"));
      await blobs.point(orgA, "sboms/img-1/sbom.json", Buffer.from("two"));
      expect(Buffer.from((await blobs.read(orgA, "sboms/img-1/sbom.json")) ?? "").toString()).toBe("two");
    });

    it.each(["", "/etc/passwd", "..", "a/../../b", "./a", "a//b", "a/", "a\\..\\b", "a/\0", "a\nb", "é", "a".repeat(201), "a/".repeat(600) + "a"])(
      "refuses the name %j",
      async (name) => {
        const blobs = await open();
        await expect(blobs.point(orgA, name, Buffer.from("x"))).rejects.toMatchObject({ type: { code: "blob-name-invalid" } });
        await expect(blobs.read(orgA, name)).rejects.toMatchObject({ type: { code: "blob-name-invalid" } });
      },
    );

    it("refuses a digest that is none, and an organization that is a path", async () => {
      const blobs = await open();
      for (const digest of ["", "../x", "A".repeat(64), "0".repeat(63)]) await expect(blobs.get(orgA, digest)).rejects.toMatchObject({ type: { code: "blob-name-invalid" } });
      for (const org of ["", "..", "a/b"]) {
        await expect(blobs.put(org, Buffer.from("x"))).rejects.toMatchObject({ type: { code: "blob-name-invalid" } });
        await expect(blobs.removeAll(org)).rejects.toMatchObject({ type: { code: "blob-name-invalid" } });
      }
    });

    it("removes all of one organization, again and again, and nothing of another", async () => {
      const blobs = await open();
      const mine = await blobs.put(orgA, Buffer.from("of a"));
      for (const name of ["report.json", "exports/2026/one.csv", "exports/2026/two.csv"]) await blobs.point(orgA, name, Buffer.from("of a"));
      const theirs = await blobs.put(orgB, Buffer.from("of b"));
      await blobs.point(orgB, "report.json", Buffer.from("of b"));
      expect(await blobs.removeAll(orgA)).toBe(4);
      expect(await blobs.get(orgA, mine.digest)).toBeUndefined();
      expect(await blobs.read(orgA, "exports/2026/one.csv")).toBeUndefined();
      expect(await blobs.removeAll(orgA)).toBe(0);
      expect(Buffer.from((await blobs.get(orgB, theirs.digest)) ?? "").toString()).toBe("of b");
      expect(Buffer.from((await blobs.read(orgB, "report.json")) ?? "").toString()).toBe("of b");
    });

    it("refuses what is over its size limit", async () => {
      const blobs = await open();
      const bytes = Buffer.alloc(100_001);
      await expect(blobs.put(orgA, bytes)).rejects.toMatchObject({ type: { code: "too-large" }, message: expect.stringContaining("100000") });
      await expect(blobs.point(orgA, "big", bytes)).rejects.toMatchObject({ type: { code: "too-large" } });
    });
  });
}

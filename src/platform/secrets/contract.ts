import { describe, expect, it } from "vitest";
import type { Secrets } from "./types.ts";

/**
 * What every adapter of the secrets port must do. `open` gives a store of its own, with nothing in it yet, and
 * `reopen` the same store as a second process would see it.
 */
export function secretsContract(adapter: string, open: () => Promise<{ secrets: Secrets; reopen: () => Promise<Secrets> }>): void {
  const context = { purpose: "connector-credentials", org: "0193b5a0-0000-7000-8000-000000000001" };
  const plaintext = Buffer.from("correct horse battery staple");

  describe(`secrets contract: ${adapter}`, () => {
    it.each([0, 1, 28, 100_000])("opens what it sealed: %i bytes", async (size) => {
      const { secrets } = await open();
      const bytes = Buffer.alloc(size, 7);
      expect(await secrets.open(await secrets.seal(bytes, context), context)).toEqual(bytes);
    });

    it("seals the same value differently each time, and shows nothing of it", async () => {
      const { secrets } = await open();
      const [a, b] = [await secrets.seal(plaintext, context), await secrets.seal(plaintext, context)];
      expect(a).not.toBe(b);
      expect(a).toMatch(/^[\x21-\x7e]+$/);
      expect(Buffer.from(a.split(".").at(-1) ?? "", "base64url").includes(plaintext)).toBe(false);
    });

    it.each([
      ["another organization", { ...context, org: "0193b5a0-0000-7000-8000-000000000002" }],
      ["the platform", { purpose: context.purpose }],
      ["another purpose", { ...context, purpose: "webhook-secret" }],
    ])("does not open under the context of %s", async (_name, other) => {
      const { secrets } = await open();
      const envelope = await secrets.seal(plaintext, context);
      await expect(secrets.open(envelope, other)).rejects.toMatchObject({ type: { code: "envelope-invalid" } });
    });

    it("refuses an envelope that was changed in any place, cut short, or is none", async () => {
      const { secrets } = await open();
      const envelope = await secrets.seal(plaintext, context);
      for (let at = 0; at < envelope.length; at++) {
        const changed = `${envelope.slice(0, at)}${envelope[at] === "A" ? "B" : "A"}${envelope.slice(at + 1)}`;
        await expect(secrets.open(changed, context), `changed at ${at}`).rejects.toMatchObject({ name: "DeclaredError" });
      }
      for (const cut of ["", envelope.slice(0, 8), envelope.slice(0, -1), `${envelope}A`, " ", "null"]) {
        await expect(secrets.open(cut, context), cut).rejects.toMatchObject({ name: "DeclaredError" });
      }
    });

    it("never quotes plaintext or ciphertext in an error", async () => {
      const { secrets } = await open();
      const envelope = await secrets.seal(plaintext, context);
      const error: unknown = await secrets.open(envelope, { purpose: "other" }).catch((caught: unknown) => caught);
      const said = `${String(error)} ${JSON.stringify(error)} ${(error as Error).stack ?? ""}`;
      expect(said).not.toContain(plaintext.toString());
      expect(said).not.toContain(envelope.split(".").at(-1));
    });

    it("makes data keys that only unwrap", async () => {
      const { secrets } = await open();
      const { key, wrapped } = await secrets.createDataKey(context);
      expect(key).toHaveLength(32);
      expect(await secrets.unwrap(wrapped, context)).toEqual(key);
      await expect(secrets.open(wrapped, context)).rejects.toMatchObject({ type: { code: "envelope-invalid" } });
      await expect(secrets.unwrap(await secrets.seal(key, context), context)).rejects.toMatchObject({ type: { code: "envelope-invalid" } });
      expect((await secrets.createDataKey(context)).key).not.toEqual(key);
    });

    it("opens old envelopes after two rotations, and rewraps them once", async () => {
      const { secrets } = await open();
      const envelope = await secrets.seal(plaintext, context);
      const { key, wrapped } = await secrets.createDataKey(context);
      await secrets.rotate();
      await secrets.rotate();
      expect(await secrets.open(envelope, context)).toEqual(plaintext);
      const fresh = await secrets.rewrap(envelope, context);
      expect(fresh).not.toBe(envelope);
      expect(await secrets.open(fresh, context)).toEqual(plaintext);
      expect(await secrets.rewrap(fresh, context)).toBe(fresh);
      expect(await secrets.unwrap(await secrets.rewrap(wrapped, context), context)).toEqual(key);
      await expect(secrets.rewrap(envelope, { purpose: "other" })).rejects.toMatchObject({ type: { code: "envelope-invalid" } });
    });

    it("derives the same bytes for a purpose, also after rotation and in another process", async () => {
      const { secrets, reopen } = await open();
      const before = secrets.derive("database-role-app");
      expect(before).toHaveLength(32);
      expect(secrets.derive("event-hashing")).not.toEqual(before);
      await secrets.rotate();
      expect(secrets.derive("database-role-app")).toEqual(before);
      expect((await reopen()).derive("database-role-app")).toEqual(before);
    });

    it("sees a rotation of another process", async () => {
      const { secrets, reopen } = await open();
      const other = await reopen();
      await other.rotate();
      const envelope = await other.seal(plaintext, context);
      expect(await secrets.open(envelope, context)).toEqual(plaintext);
      expect(await secrets.rewrap(envelope, context)).toBe(envelope);
    });

    it("verifies signatures of present and former signing keys, and no others", async () => {
      const { secrets, reopen } = await open();
      const bytes = Buffer.from("checkpoint 17");
      const first = secrets.signer();
      const signature = await first.sign(bytes);
      const { keyId } = await secrets.rotateSigner();
      expect(keyId).not.toBe(first.keyId);
      expect(secrets.signer().keyId).toBe(keyId);
      const again = await reopen();
      expect(again.verifier(first.keyId)?.verify(bytes, signature)).toBe(true);
      expect(again.verifier(first.keyId)?.publicKey).toBe(first.publicKey);
      expect(again.verifier(first.keyId)?.verify(Buffer.from("checkpoint 18"), signature)).toBe(false);
      expect(again.verifier(keyId)?.verify(bytes, signature)).toBe(false);
      expect(again.verifier(keyId)?.verify(bytes, await again.signer().sign(bytes))).toBe(true);
      expect(again.verifier("0000000000000000")).toBeUndefined();
    });
  });
}

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { chainHash, chainStart, checkpointBytes, checkpointJson, parseCheckpoint } from "./chain.ts";

const eventHash = createHash("sha256").update("{}").digest();
const checkpoint = {
  orgId: "0193b5a0-0000-7000-8000-000000000001", seq: 7, position: 9, chainHash: eventHash, time: "2026-11-21T12:00:00.000Z", keyId: "abc", signature: Buffer.alloc(64, 1),
};

describe("chainHash", () => {
  it("is the SHA-256 of previous hash, sequence in 8 bytes and event hash", () => {
    const bytes = Buffer.from(`${"00".repeat(32)}0000000000000102${eventHash.toString("hex")}`, "hex");
    expect(chainHash(chainStart, 258, eventHash)).toEqual(createHash("sha256").update(bytes).digest());
  });

  it("depends on each of its three parts", () => {
    const hashes = [chainHash(chainStart, 1, eventHash), chainHash(eventHash, 1, eventHash), chainHash(chainStart, 2, eventHash), chainHash(chainStart, 1, chainStart)];
    expect(new Set(hashes.map((hash) => hash.toString("hex"))).size).toBe(4);
  });
});

describe("a checkpoint", () => {
  it("is signed over its six lines", () => {
    expect(checkpointBytes(checkpoint).toString()).toBe(
      `qinfra-checkpoint-1\n${checkpoint.orgId}\n7\n9\n${eventHash.toString("hex")}\n2026-11-21T12:00:00.000Z abc\n`,
    );
  });

  it("reads back from its JSON", () => {
    expect(parseCheckpoint(checkpointJson(checkpoint))).toEqual(checkpoint);
  });

  it.each(["", "{}", "[]", "null", "{\"orgId\":1}", "\u0000"])("is not read from %j", (text) => {
    expect(parseCheckpoint(Buffer.from(text))).toBeUndefined();
  });
});

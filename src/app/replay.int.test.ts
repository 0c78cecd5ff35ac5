import { afterAll, beforeAll, expect, it } from "vitest";
import { testPlatform, type TestPlatform } from "./testing.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.close());

it("given a scan that was recorded under a key, when it is repeated, then the answer says of the same event that it is handled", async () => {
  const call = {
    as: "admin", headers: { "idempotency-key": "scan-1" },
    input: { name: "web01", source: "import", components: [{ name: "bash", version: "5.2", purl: "pkg:deb/debian/bash@5.2?distro=debian-12" }] },
  } as const;
  const first = await platform.call("inventory.record-scan", call);
  const second = await platform.call("inventory.record-scan", call);
  expect(first).toMatchObject({ status: 200, body: { event: { state: "handled" } } });
  expect(second).toMatchObject({ status: 200, headers: { "idempotent-replay": "true" } });
  expect(second.body).toEqual(first.body);
});

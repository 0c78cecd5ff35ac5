import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testPlatform, type TestPlatform } from "./testing.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.close());

describe("the HTTP door", () => {
  it.each(["/api/v1/images/%zz", "/api/v1/images/%ff"])("answers a problem for an address that cannot be decoded: %s", async (url) => {
    const answer = await platform.inject({ method: "GET", url });
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    expect(answer.body).toMatchObject({ status: 400, code: "invalid-input" });
  });

  it.each([undefined, "Bearer qik_0000000000_00000000000000000000000000000000"])("does not read a large body of somebody who is not signed in: %s", async (authorization) => {
    const answer = await platform.inject({
      method: "POST", url: "/api/v1/scan", headers: { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) }, payload: "{not JSON",
    });
    expect(answer.body).toMatchObject({ status: 401, code: "unauthenticated" });
  });

  it("does not cut off a request that takes long, such as the import of a feed", () => {
    expect(platform.http.server.requestTimeout).toBe(0);
    expect(platform.http.server.headersTimeout).toBeGreaterThan(0);
  });
});

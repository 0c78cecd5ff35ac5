import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toAsyncApi } from "../platform/events/asyncapi.ts";
import { version } from "./root.ts";
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

  it("answers the document of the events, and the schema of each", async () => {
    const document = await platform.inject({ method: "GET", url: "/asyncapi.json" });
    const { registry } = platform.platform;
    expect([document.status, document.body]).toEqual([200, JSON.parse(JSON.stringify(toAsyncApi(registry.events, version())))]);
    for (const type of registry.events.keys()) {
      const { status, headers, body } = await platform.inject({ method: "GET", url: `/schemas/events/${type}.schema.json` });
      expect([status, headers["content-type"], (body as { title: string }).title]).toEqual([200, "application/schema+json; charset=utf-8", type]);
    }
    expect((await platform.inject({ method: "GET", url: "/schemas/events/nothing.happened.schema.json" })).status).toBe(404);
  });

  it("does not cut off a request that takes long, such as the import of a feed", () => {
    expect(platform.http.server.requestTimeout).toBe(0);
    expect(platform.http.server.headersTimeout).toBeGreaterThan(0);
  });
});

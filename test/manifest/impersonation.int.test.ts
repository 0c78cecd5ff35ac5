import { afterAll, beforeAll, expect, it } from "vitest";
import { testPlatform, type TestPlatform } from "../../src/app/testing.ts";
import { toTypeId } from "../../src/platform/ids.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.close());

/** What other systems and proxies take a caller's name from. */
const names = [
  "x-user", "x-user-id", "x-remote-user", "remote-user", "x-forwarded-user", "x-auth-request-user", "x-webauth-user", "x-authenticated-userid", "x-impersonate-user", "impersonate-user",
  "x-act-as", "x-on-behalf-of", "qinfra-user", "qinfra-actor", "x-original-user", "x-ms-client-principal-id", "x-goog-authenticated-user-id",
];

it.each(names)("a caller who sends %s stays who they are, and without a credential is nobody", async (name) => {
  const admin = toTypeId("usr", platform.person("admin").userId);
  const viewer = toTypeId("usr", platform.person("viewer").userId);
  const answer = await platform.call("users.me", { as: "viewer", headers: { [name]: admin } });
  expect(answer.body).toMatchObject({ user: { id: viewer }, roles: ["viewer"] });
  expect((await platform.call("users.me", { headers: { [name]: admin } })).status).toBe(401);
});

it("two credentials in one request are not mixed: the header counts, and the cookie of somebody else does not", async () => {
  const viewer = platform.person("viewer");
  const authorization = await platform.newSession(viewer);
  const cookie = (await platform.newSession(platform.person("admin"))).slice("Bearer ".length);
  const answer = await platform.call("users.me", { authorization, headers: { cookie: `qinfra=${cookie}` } });
  expect(answer.body).toMatchObject({ user: { id: toTypeId("usr", viewer.userId) } });
});

import { SignJWT, importJWK, jwtVerify, type JWK } from "jose";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { sql } from "../../../platform/database/sql.ts";
import { createIds } from "../../../platform/ids.ts";
import { testDatabase, type TestDatabase } from "../../../platform/testing/database.ts";
import { handClock, openSecrets } from "../testing/platform.ts";
import { sweepProviderKeys } from "./key-store.ts";
import { createProviderKeys, type ProviderKeys } from "./keys.ts";

let db: TestDatabase;
const clock = handClock();
const ids = createIds(clock);

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(() => db.database.system((system) => system.run(sql`delete from organizations.oidc_keys`)));

function server(): ProviderKeys {
  return createProviderKeys({ database: db.database, secrets: openSecrets, clock, ids });
}

async function tokenOf(keys: ProviderKeys): Promise<string> {
  const [jwk] = (await keys.current()).keys as [JWK];
  return new SignJWT({}).setProtectedHeader({ alg: "ES256", kid: jwk.kid as string }).sign(await importJWK(jwk));
}

test("given several servers that start at once, then they make one key, and it is kept sealed", async () => {
  const sets = await Promise.all([server().current(), server().current(), server().current()]);
  expect(new Set(sets.map((set) => set.version)).size).toBe(1);
  expect(sets[0]?.keys).toHaveLength(1);
  const stored = await db.database.system((system) => system.many<{ sealed: string }>(sql`select sealed from organizations.oidc_keys`));
  expect(stored.map((row) => row.sealed.startsWith("test:"))).toEqual([true]);
});

test("given a rotation on one server, then another verifies with the new key at once and signs with it soon", async () => {
  const [one, other] = [server(), server()];
  const before = await tokenOf(other);
  const { keyId } = await one.rotate();

  const after = await tokenOf(one);
  clock.advance(1_000);
  const { protectedHeader } = await jwtVerify(after, other.verification);
  expect(protectedHeader.kid).toBe(keyId);
  clock.advance(30_000);
  expect((await other.current()).keys.map((key) => key.kid)[0]).toBe(keyId);
  // what the older key signed still counts
  await expect(jwtVerify(before, one.verification)).resolves.toBeDefined();
});

test("given a key that has signed for ninety days, then servers make one other", async () => {
  const before = await server().current();
  clock.advance(90 * 24 * 3_600_000);
  const sets = await Promise.all([server().current(), server().current()]);
  expect(new Set(sets.map((set) => set.version)).size).toBe(1);
  expect(sets[0]?.keys.map((key) => key.kid)).toEqual([expect.not.stringMatching(String(before.keys[0]?.kid)), before.keys[0]?.kid]);
});

test("given a day after a rotation, then the older key neither counts nor is kept", async () => {
  const keys = server();
  const before = await tokenOf(keys);
  await keys.rotate();
  clock.advance(24 * 3_600_000);
  await expect(jwtVerify(before, keys.verification)).rejects.toMatchObject({ code: "ERR_JWKS_NO_MATCHING_KEY" });
  expect(await db.database.system((system) => sweepProviderKeys(system, new Date(clock.now()).toISOString()))).toBe(1);
  expect((await server().current()).keys).toHaveLength(1);
});

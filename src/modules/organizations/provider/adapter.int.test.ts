import type { AdapterPayload } from "oidc-provider";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sql } from "../../../platform/database/sql.ts";
import { tokenHash } from "../../../platform/identity/tokens.ts";
import { testDatabase, type TestDatabase } from "../../../platform/testing/database.ts";
import { handClock } from "../testing/platform.ts";
import { createAdapter } from "./adapter.ts";
import { sweepProvider } from "./sweep.ts";

let db: TestDatabase;
const clock = handClock();

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(() => db.database.system((system) => system.run(sql`delete from organizations.oidc_payloads`)));

function adapterOf(model: string, key = "k") {
  return createAdapter({ database: db.database, clock, referenceKey: Buffer.from(key) })(model);
}

async function stored(): Promise<string> {
  const row = await db.database.system((system) => system.maybe<{ text: string }>(sql`select string_agg(p::text, ' ') as text from organizations.oidc_payloads p`));
  return row?.text ?? "";
}

describe("what is kept", () => {
  test("is found by its id, which the database does not hold", async () => {
    const tokens = adapterOf("AccessToken");
    await tokens.upsert("the-token", { jti: "the-token", accountId: "usr_1", grantId: "the-grant" } as AdapterPayload, 60);
    expect(await tokens.find("the-token")).toEqual({ jti: "the-token", accountId: "usr_1", grantId: "the-grant" });
    expect(await tokens.find("another")).toBeUndefined();
    expect(await adapterOf("RefreshToken").find("the-token")).toBeUndefined();
    expect(await stored()).not.toContain("the-token");
  });

  test("is over at its time, and swept", async () => {
    const sessions = adapterOf("Session");
    await sessions.upsert("id", { uid: "uid" } as unknown as AdapterPayload, 60);
    clock.advance(59_000);
    expect(await sessions.find("id")).toBeDefined();
    clock.advance(1_000);
    expect([await sessions.find("id"), await sessions.findByUid("uid")]).toEqual([undefined, undefined]);
    clock.advance(600_000);
    expect(await sweepProvider(db.database, clock)).toEqual({ signInRows: 1, signInKeys: 0, singleUses: 0 });
    expect(await stored()).toBe("");
  });

  test("is spent once, and stays spent when it is kept again", async () => {
    const codes = adapterOf("AuthorizationCode");
    await codes.upsert("code", { accountId: "usr_1" } as AdapterPayload, 60);
    const spent = await Promise.allSettled([codes.consume("code"), codes.consume("code"), codes.consume("code")]);
    expect(spent.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected"]);
    await codes.upsert("code", { accountId: "usr_1" } as AdapterPayload, 60);
    expect(await codes.find("code")).toMatchObject({ consumed: Math.floor(clock.now() / 1000) });
    await expect(codes.consume("nothing")).rejects.toMatchObject({ error: "invalid_grant" });
  });

  test("under a grant goes with it, and nothing else does", async () => {
    const tokens = adapterOf("AccessToken");
    await tokens.upsert("one", { grantId: "g1" } as AdapterPayload, 60);
    await tokens.upsert("two", { grantId: "g2" } as AdapterPayload, 60);
    await tokens.revokeByGrantId("g1");
    expect([await tokens.find("one"), (await tokens.find("two"))?.jti]).toEqual([undefined, "two"]);
    await tokens.destroy("two");
    expect(await tokens.find("two")).toBeUndefined();
  });
});

describe("what is found by another way than its id", () => {
  test("given a device by its user code, then it can be kept again, and neither code is in the database", async () => {
    const devices = adapterOf("DeviceCode");
    await devices.upsert("device-code", { jti: "device-code", userCode: "BCDFGHJK", clientId: "c" } as unknown as AdapterPayload, 60);
    const found = (await devices.findByUserCode("BCDFGHJK")) as AdapterPayload & { userCode: string };
    expect(found).toMatchObject({ userCode: "BCDFGHJK", clientId: "c" });
    await devices.upsert(found.jti as string, { ...found, accountId: "usr_1" }, 60);
    expect(await devices.find("device-code")).toMatchObject({ jti: "device-code", accountId: "usr_1" });
    expect(await devices.findByUserCode("BCDFGHJK")).toMatchObject({ accountId: "usr_1" });
    for (const secret of ["device-code", "BCDFGHJK"]) expect(await stored()).not.toContain(secret);
  });

  test("given a reference of another model, of another key or without a signature, then it finds nothing", async () => {
    const sessions = adapterOf("Session");
    await sessions.upsert("cookie", { uid: "uid" } as unknown as AdapterPayload, 60);
    const reference = (await sessions.findByUid("uid"))?.jti as string;
    expect(await sessions.find(reference)).toBeDefined();
    const hash = tokenHash("cookie").toString("base64url");
    expect(await Promise.all([
      adapterOf("AccessToken").find(reference), adapterOf("Session", "another").find(reference), sessions.find(`ref.${hash}.`), sessions.find(`ref.${hash}`), sessions.find(`ref.${hash}.${hash}`), sessions.find(hash), sessions.find("ref.."),
    ])).toEqual(Array.from({ length: 7 }));
  });

  test("given an interaction, then it repeats neither its own id, nor the session's, nor the device's", async () => {
    const devices = adapterOf("DeviceCode");
    await devices.upsert("device-code", { userCode: "BCDFGHJK" } as unknown as AdapterPayload, 60);
    const reference = (await devices.findByUserCode("BCDFGHJK"))?.jti as string;
    const interactions = adapterOf("Interaction");
    await interactions.upsert("interaction-id", {
      jti: "interaction-id", returnTo: "http://qinfra.example/oidc/device/interaction-id", deviceCode: reference, session: { uid: "uid", cookie: "the-cookie", accountId: "usr_1" },
    } as AdapterPayload, 60);
    expect(await interactions.find("interaction-id")).toEqual({
      jti: "interaction-id", returnTo: "http://qinfra.example/oidc/device/interaction-id", deviceCode: reference, session: { uid: "uid", accountId: "usr_1" },
    });
    for (const secret of ["interaction-id", "the-cookie", reference]) expect(await stored()).not.toContain(secret);
  });
});

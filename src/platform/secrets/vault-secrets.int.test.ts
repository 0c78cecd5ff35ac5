import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { secretsContract } from "./contract.ts";
import { openSecrets, type SecretsOptions } from "./secrets-url.ts";
import { startSimulatedVault, type SimulatedVault } from "./testing/simulated-vault.ts";

const folder = await mkdtemp(join(tmpdir(), "qinfra-vault-"));
const vaults: SimulatedVault[] = [];
afterAll(async () => {
  await Promise.all(vaults.map((vault) => vault.stop()));
  await rm(folder, { recursive: true, force: true });
});
const context = { purpose: "totp", org: "0193b5a0-0000-7000-8000-000000000001" };
const unavailable = { type: { code: "secrets-unavailable", status: 503 } };

async function newVault(options: { leaseSeconds?: number } = {}): Promise<SimulatedVault> {
  const vault = await startSimulatedVault(options);
  vaults.push(vault);
  return vault;
}

async function opened(vault: SimulatedVault, more: Partial<SecretsOptions> & { tokenFile?: string; query?: string } = {}) {
  const { tokenFile, query = "", ...options } = more;
  const secrets = await openSecrets(
    { secretsUrl: `${vault.url}${query}`, keysDir: folder, vault: tokenFile === undefined ? { token: vault.token } : { tokenFile } },
    { dataExists: false, clock: { now: Date.now }, ...options },
  );
  onTestFinished(() => secrets.close());
  return secrets;
}

secretsContract("vault (simulated)", async () => {
  const vault = await newVault();
  return { secrets: await opened(vault), reopen: () => opened(vault, { dataExists: true }) };
});

describe("keys in a (simulated) Vault", () => {
  it("given many values of one organization, then Vault is asked for one key", async () => {
    const vault = await newVault();
    const secrets = await opened(vault);
    vault.calls.length = 0;
    const sealed = await Promise.all(Array.from({ length: 50 }, (_, i) => secrets.seal(Buffer.from(`value ${i}`), context)));
    for (const [i, envelope] of sealed.entries()) expect((await secrets.open(envelope, context)).toString()).toBe(`value ${i}`);
    expect(vault.calls).toEqual(["PUT transit/encrypt/qinfra"]);
    const again = await opened(vault);
    vault.calls.length = 0;
    await Promise.all(sealed.map((envelope) => again.open(envelope, context)));
    expect(vault.calls).toEqual(["PUT transit/decrypt/qinfra"]);
  });

  it.each([[503, /sealed or starting/], [429, /more requests than it takes/], [500, /answered .* with 500/], [403, /refuses .*token has expired or has no policy/], ["garbage", /does not speak Vault's API/]] as const)(
    "given that Vault answers %s, then what was opened goes on, a new organization is told why, and it recovers by itself",
    async (fault, why) => {
      const vault = await newVault();
      let now = Date.now();
      const secrets = await opened(vault, { clock: { now: () => now } });
      const envelope = await secrets.seal(Buffer.from("x"), context);
      vault.fault = fault;
      expect((await secrets.open(envelope, context)).toString()).toBe("x");
      await secrets.seal(Buffer.from("y"), context);
      expect(secrets.derive("database-role")).toHaveLength(32);
      await expect(secrets.createDataKey({ purpose: "data-key", org: "another" })).rejects.toMatchObject({ ...unavailable, message: expect.stringMatching(why) });
      expect(await secrets.health()).toMatch(fault === 503 ? /sealed/ : why);
      expect(await secrets.health()).toMatch(/Keys that were opened before go on working/);
      vault.fault = undefined;
      await expect.poll(() => {
        now += 5_000;
        return secrets.health();
      }, { timeout: 15_000 }).toBe("ok");
      await secrets.createDataKey({ purpose: "data-key", org: "another" });
    },
  );

  it("given that Vault is gone, then what was opened goes on, also past the time after which keys are replaced", async () => {
    const vault = await newVault();
    let now = Date.now();
    const secrets = await opened(vault, { clock: { now: () => now } });
    const envelope = await secrets.seal(Buffer.from("x"), context);
    await vault.stop();
    vaults.splice(vaults.indexOf(vault), 1);
    now += 7_200_000;
    expect((await secrets.open(await secrets.seal(Buffer.from("later"), context), context)).toString()).toBe("later");
    expect((await secrets.open(envelope, context)).toString()).toBe("x");
    await expect(secrets.seal(Buffer.from("x"), { purpose: "other" })).rejects.toMatchObject({ ...unavailable, message: expect.stringMatching(/cannot be reached/) });
    await expect(opened(vault)).rejects.toMatchObject(unavailable);
  });

  it("given a token with a lease, then it is renewed at two thirds of it, and again after a renewal that failed", async () => {
    const vault = await newVault({ leaseSeconds: 3_600 });
    const planned: { ms: number; run: () => void }[] = [];
    const after = async (count: number) => {
      await expect.poll(() => planned.length).toBe(count);
    };
    await opened(vault, { later: (ms, run) => (planned.push({ ms, run }), () => undefined) });
    await after(1);
    expect(planned[0]?.ms).toBe(2_401_200);
    planned[0]?.run();
    await after(2);
    expect(vault.renewals).toBe(1);
    vault.fault = 500;
    planned[1]?.run();
    await after(3);
    expect(planned[2]?.ms).toBe(15_000);
    vault.fault = undefined;
    planned[2]?.run();
    await after(4);
    expect(vault.renewals).toBe(2);
  });

  it("given a token file, when another token is put there, then the next call uses it", async () => {
    const vault = await newVault();
    const tokenFile = join(folder, "token");
    await writeFile(tokenFile, `${vault.token}\n`);
    const secrets = await opened(vault, { tokenFile });
    vault.token = "hvs.another";
    await expect(secrets.seal(Buffer.from("x"), context)).rejects.toMatchObject(unavailable);
    await writeFile(tokenFile, "hvs.another");
    await secrets.seal(Buffer.from("x"), context);
    await writeFile(tokenFile, "two words");
    await expect(secrets.seal(Buffer.from("x"), { purpose: "new" })).rejects.toMatchObject({ message: expect.stringMatching(/holds no token/) });
  });

  it("given a transit key that is not there and may not be made, or is not derived, then it does not open", async () => {
    const vault = await newVault();
    vault.denied.add("transit/keys/none/");
    const secrets = await opened(vault);
    secrets.close();
    vault.denied.add("transit/keys/hidden");
    await expect(opened(vault, { query: "?key=hidden" })).rejects.toMatchObject({ ...unavailable, message: expect.stringMatching(/no policy for it/) });
    await fetch(`${vault.address}/v1/transit/keys/flat`, { method: "PUT", headers: { "x-vault-token": vault.token }, body: "{}" });
    await expect(opened(vault, { query: "?key=flat" })).rejects.toMatchObject({ message: expect.stringMatching(/is not derived/) });
  });

  it("given that the identity is missing although there is data, then none is made, and a damaged one is not used", async () => {
    const vault = await newVault();
    const before = (await opened(vault)).derive("x");
    vault.kv.delete("qinfra");
    await expect(opened(vault, { dataExists: true })).rejects.toMatchObject({ type: { code: "key-file-missing" }, message: expect.stringContaining("secret/qinfra in Vault") });
    vault.kv.set("qinfra", { version: 7, data: { identity: "{}" } });
    await expect(opened(vault, { dataExists: true })).rejects.toMatchObject({ type: { code: "key-file-unusable" } });
    vault.kv.delete("qinfra");
    expect((await opened(vault)).derive("x")).not.toEqual(before);
  });

  it("given two servers that start at once, then they have one identity", async () => {
    const vault = await newVault();
    await (await opened(vault, { query: "?path=other" })).health();
    const all = await Promise.all(Array.from({ length: 4 }, () => opened(vault)));
    expect(new Set(all.map((secrets) => secrets.derive("x").toString("hex"))).size).toBe(1);
  });

  it("never says the token", async () => {
    const vault = await newVault();
    const secrets = await opened(vault);
    for (const fault of [403, 500, "garbage"] as const) {
      vault.fault = fault;
      const error = await secrets.seal(Buffer.from("x"), { purpose: fault.toString() }).catch((caught: Error) => caught);
      expect(`${String(error)} ${JSON.stringify(error)} ${(error as Error).stack} ${String((error as Error).cause)}`).not.toContain(vault.token);
    }
  });
});

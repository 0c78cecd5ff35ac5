import { randomBytes, randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Pool } from "undici";
import { claim, dataFolder, startPlatform, type RunningPlatform } from "./support/platform.ts";
import type { Client } from "./support/client.ts";

const requests = 100_000;
const connections = 32;
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const letters = (length: number) => Array.from(randomBytes(length), (byte) => alphabet[byte & 31]).join("");
const base64 = (bytes: number) => randomBytes(bytes).toString("base64url");
const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** What a stranger may send, from well-formed to nonsense. */
const kinds: Record<string, () => Record<string, string>> = {
  nothing: () => ({}),
  session: () => ({ authorization: `Bearer qis_${letters(52)}` }),
  "API key": () => ({ authorization: `Bearer qik_${letters(12)}_${letters(40)}` }),
  "access token": () => ({ authorization: `Bearer ${base64(32)}` }),
  "JWT of nobody": () => ({ authorization: `Bearer ${json({ alg: "RS256", kid: letters(8) })}.${json({ iss: `https://${letters(8)}.example`, sub: letters(8), exp: 4e9 })}.${base64(256)}` }),
  "JWT without algorithm": () => ({ authorization: `Bearer ${json({ alg: "none" })}.${json({ sub: "admin" })}.` }),
  cookie: () => ({ cookie: `qinfra=qis_${letters(52)}` }),
  "broken cookie": () => ({ cookie: `qinfra=${base64(randomInt(1, 400))}; qinfra=${letters(5)}; =;${letters(3)}` }),
  basic: () => ({ authorization: `Basic ${base64(24)}` }),
  nonsense: () => ({ authorization: base64(randomInt(1, 2_000)) }),
  "long token": () => ({ authorization: `Bearer ${base64(6_000)}` }),
};

describe("a hundred thousand requests with random credentials", () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let platform: RunningPlatform;
  let admin: Client;
  let pool: Pool;
  beforeAll(async () => {
    folder = await dataFolder("random-credentials");
    // Each request comes from an address of its own, so that the limit by address, which is tested elsewhere, holds none up.
    platform = await startPlatform(folder.path, { TRUSTED_PROXIES: "127.0.0.1" });
    admin = await claim(platform.address, "admin", platform.oneTimePassword ?? "", "a password for strangers");
    pool = new Pool(platform.address, { connections });
  });
  afterAll(async () => {
    await pool?.close();
    await admin?.close();
    await platform?.stop();
    await folder?.remove();
  });

  const residentMegabytes = () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${platform.pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  const address = () => `${randomInt(1, 224)}.${randomInt(0, 256)}.${randomInt(0, 256)}.${randomInt(0, 256)}`;

  async function send(kind: string, path: string): Promise<{ status: number; ms: number }> {
    const began = performance.now();
    const answer = await pool.request({ method: "GET", path, headers: { ...kinds[kind]?.(), "x-forwarded-for": address() } });
    await answer.body.dump();
    return { status: answer.statusCode, ms: performance.now() - began };
  }

  async function sendMany(count: number, kindOf: (n: number) => string): Promise<Map<string, { statuses: Map<number, number>; ms: number; count: number }>> {
    const found = new Map<string, { statuses: Map<number, number>; ms: number; count: number }>();
    let next = 0;
    await Promise.all(Array.from({ length: connections }, async () => {
      for (let n = next++; n < count; n = next++) {
        const kind = kindOf(n);
        const { status, ms } = await send(kind, n % 2 === 0 ? "/api/v1/images" : "/api/v1/users/me");
        const seen = found.get(kind) ?? { statuses: new Map<number, number>(), ms: 0, count: 0 };
        seen.statuses.set(status, (seen.statuses.get(status) ?? 0) + 1);
        found.set(kind, { statuses: seen.statuses, ms: seen.ms + ms, count: seen.count + 1 });
      }
    }));
    return found;
  }

  it("are all answered 401, in bounded memory, and none much slower than the others", async () => {
    const names = Object.keys(kinds);
    await sendMany(5_000, (n) => names[n % names.length] as string);
    const before = residentMegabytes();
    // One kind after the other, so that a slow one shows by itself.
    const each = Math.ceil(requests / names.length);
    const means = new Map<string, number>();
    for (const name of names) {
      const seen = (await sendMany(each, () => name)).get(name);
      expect([name, [...(seen?.statuses.keys() ?? [])]]).toEqual([name, [401]]);
      means.set(name, (seen?.ms ?? Infinity) / (seen?.count ?? 1));
    }
    const least = Math.min(...means.values());
    const slow = [...means].filter(([, mean]) => mean > 10 * least).map(([name, mean]) => `${name}: ${mean.toFixed(1)} ms against ${least.toFixed(1)} ms`);
    expect(slow).toEqual([]);
    expect(residentMegabytes() - before).toBeLessThan(200);
    expect(await admin.call("GET", "/api/v1/images")).toMatchObject({ items: [] });
  }, 600_000);
});

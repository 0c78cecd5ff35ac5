import { text } from "node:stream/consumers";
import { Client } from "undici";

/** What the generator is told on standard input, so that the token is in no process list. */
export interface LoadPlan {
  address: string;
  token?: string;
  /** PEM of the authority of an https address. */
  ca?: string;
  /** Each request says that it comes from another address, so that the limit by address holds none up. */
  manyAddresses?: boolean;
  method: "GET" | "POST";
  /** Taken one after the other, again and again. */
  paths: readonly string[];
  /** Makes a body {"name": "<prefix>-<n>"} for each request. */
  namePrefix?: string;
  /** Keep-alive connections, each with one request at a time. */
  connections: number;
  warmupSeconds: number;
  seconds: number;
}

export interface LoadResult {
  requestsPerSecond: number;
  /** Milliseconds. */
  p50: number;
  p95: number;
  /** Answers that were not 2xx. */
  failed: number;
}

async function generate(plan: LoadPlan): Promise<LoadResult> {
  const began = performance.now();
  const from = began + plan.warmupSeconds * 1000;
  const end = from + plan.seconds * 1000;
  const times: number[] = [];
  let sent = 0;
  let failed = 0;
  const headers = {
    ...(plan.token === undefined ? {} : { authorization: `Bearer ${plan.token}` }),
    ...(plan.namePrefix === undefined ? {} : { "content-type": "application/json" }),
  };

  async function connection(): Promise<void> {
    const client = new Client(plan.address, plan.ca === undefined ? {} : { connect: { ca: plan.ca } });
    for (;;) {
      const at = performance.now();
      if (at >= end) break;
      const n = sent++;
      const answer = await client.request({
        method: plan.method, path: plan.paths[n % plan.paths.length] as string,
        headers: plan.manyAddresses === true ? { ...headers, "x-forwarded-for": `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}` } : headers,
        ...(plan.namePrefix === undefined ? {} : { body: JSON.stringify({ name: `${plan.namePrefix}-${n}` }) }),
      });
      await answer.body.dump();
      const over = performance.now();
      if (over < from || over > end) continue;
      if (answer.statusCode >= 300) failed += 1;
      times.push(over - at);
    }
    await client.close();
  }

  await Promise.all(Array.from({ length: plan.connections }, connection));
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Infinity;
  return { requestsPerSecond: times.length / plan.seconds, p50: at(0.5), p95: at(0.95), failed };
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await generate(JSON.parse(await text(process.stdin)) as LoadPlan)));
}

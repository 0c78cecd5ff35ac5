import type { Clock } from "../platform/clock.ts";

/** Says `ok`, or what is degraded. */
export type Check = () => Promise<string>;

/** Without the others the platform goes on with less; without the database it cannot answer. */
export function isReady(checks: Readonly<Record<string, string>>): boolean {
  return checks["database"] === "ok";
}

const mostMs = 3_000;
const keptMs = 1_000;

/** All at once, each within its time, and not more than once a second, however often a load balancer asks. */
export function createChecks(checks: Readonly<Record<string, Check>>, clock: Clock): () => Promise<Record<string, string>> {
  let last: { at: number; answer: Promise<Record<string, string>> } | undefined;

  async function run(): Promise<Record<string, string>> {
    const answers = await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await within(check)] as const));
    return Object.fromEntries(answers);
  }

  return () => {
    const now = clock.now();
    if (last === undefined || now - last.at >= keptMs || now < last.at) last = { at: now, answer: run() };
    return last.answer;
  };
}

async function within(check: Check): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, mostMs, `does not answer within ${mostMs / 1000} s`);
  });
  try {
    return await Promise.race([check(), late]);
  } catch {
    return "does not answer";
  } finally {
    clearTimeout(timer);
  }
}

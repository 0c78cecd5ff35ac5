import { fetch, type Agent } from "undici";
import { vi } from "vitest";

/** Requests without a pause and without a second try, for as long as it runs. */
export interface SteadyLoad {
  /** Of each kind: how often each status was answered, or an error instead of one. */
  counts(): Record<string, Record<string, number>>;
  /** Resolves when each kind was answered that many times more. */
  more(times: number): Promise<void>;
  /** Ids of the sites that were answered as made, in the order of the answers. */
  made: string[];
  stop(): Promise<void>;
}

export function startLoad({ address, dispatcher, token, organization, image, each }: { address: string; dispatcher: Agent; token: string; organization: string; image: string; each: number }): SteadyLoad {
  const counts: Record<string, Record<string, number>> = {};
  const made: string[] = [];
  let over = false;

  async function ask(kind: string, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) };
    const of = (counts[kind] ??= {});
    try {
      const answer = await fetch(`${address}${path}`, { method, headers, dispatcher, signal: AbortSignal.timeout(60_000), ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      const text = await answer.text();
      of[answer.status] = (of[answer.status] ?? 0) + 1;
      return answer.headers.get("content-type")?.includes("json") === true ? JSON.parse(text) as Record<string, unknown> : {};
    } catch (error) {
      const name = String((error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message);
      of[name] = (of[name] ?? 0) + 1;
      return {};
    }
  }

  const kinds: ((worker: number, n: number) => Promise<void>)[] = [
    async () => void (await ask("GET", "GET", "/api/v1/sites?limit=5")),
    async (worker, n) => {
      const { id } = await ask("POST", "POST", "/api/v1/sites", { name: `site-${process.hrtime.bigint()}-${worker}-${n}` });
      if (typeof id === "string") made.push(id);
    },
    async (worker, n) => void (await ask("PATCH", "PATCH", `/api/v1/organizations/${organization}`, { name: `Name ${worker} ${n}` })),
    async (worker, n) => void (await ask("PUT", "PUT", `/api/v1/images/${image}/tags`, { tags: { worker: `${worker}`, n: `${n}` } })),
    async (worker, n) => {
      const { id } = await ask("POST key", "POST", "/api/v1/api-keys", { name: `key-${worker}-${n}`, scopes: ["images:read"] });
      if (typeof id === "string") await ask("DELETE", "DELETE", `/api/v1/api-keys/${id}`);
    },
  ];
  const running = Promise.all(kinds.flatMap((kind) => Array.from({ length: each }, async (_, worker) => {
    for (let n = 0; !over; n++) await kind(worker, n);
  })));
  const sum = (of: Record<string, number>): number => Object.values(of).reduce((all, one) => all + one, 0);

  return {
    counts: () => counts, made,
    async more(times) {
      await vi.waitUntil(() => Object.keys(counts).length >= 6, { timeout: 60_000, interval: 20 });
      const goal = Object.entries(counts).map(([kind, of]) => [kind, sum(of) + times] as const);
      await vi.waitUntil(() => goal.every(([kind, wanted]) => sum(counts[kind] ?? {}) >= wanted), { timeout: 120_000, interval: 20 });
    },
    async stop() {
      over = true;
      await running;
    },
  };
}

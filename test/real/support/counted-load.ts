import { setTimeout as delay } from "node:timers/promises";
import { vi } from "vitest";
import type { Client } from "./client.ts";

/** A small steady load of changes, each of them repeated under its idempotency key until a server has acknowledged it. */
export interface CountedLoad {
  /** Ids of what was acknowledged, and the type of the event that each has exactly once. */
  acknowledged: ReadonlyMap<string, string>;
  /** Answers that were no success, and errors in place of an answer: how often. */
  refused: Readonly<Record<string, number>>;
  /** Resolves when so many more were acknowledged. */
  more(times: number): Promise<void>;
  /** Begins nothing more, and resolves when all that was begun is acknowledged. */
  stop(): Promise<void>;
}

const workers = 4;
const pauseMs = 25;
const patienceMs = 180_000;

/** Workers go from one server to the next, and to the next where one does not answer. */
export function startCountedLoad(servers: readonly Client[], name: string): CountedLoad {
  const acknowledged = new Map<string, string>();
  const refused: Record<string, number> = {};
  let over = false;
  let failure: unknown;

  async function change(worker: number, n: number): Promise<void> {
    const { path, body, type, idOf } = (n % 4 === 3 ? scan : site)(`${name}-${worker}-${n}`);
    const deadline = performance.now() + patienceMs;
    for (let attempt = 0; ; attempt++) {
      const client = servers[(worker + n + attempt) % servers.length] as Client;
      const answer = await client.ask("POST", path, body, { "idempotency-key": `${name}-${worker}-${n}` }).catch((error: Error & { code?: string }) => ({ status: 0, body: error.code ?? error.message }));
      if (answer.status === 200 || answer.status === 201) return void acknowledged.set(idOf(answer.body), type);
      const reason = answer.status === 0 ? String(answer.body) : `${answer.status} ${(answer.body as { code?: string }).code ?? ""}`;
      refused[reason] = (refused[reason] ?? 0) + 1;
      if (answer.status > 0 && answer.status < 500 && answer.status !== 409 && answer.status !== 429) throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      if (performance.now() > deadline) throw new Error(`nobody acknowledged POST ${path} within ${patienceMs / 1000} s; the last answer: ${reason}`);
      await delay(pauseMs * 4);
    }
  }

  const running = Promise.all(Array.from({ length: workers }, async (_, worker) => {
    for (let n = 0; !over && failure === undefined; n++) {
      await change(worker, n).catch((error: unknown) => void (failure ??= error));
      await delay(pauseMs);
    }
  }));

  return {
    acknowledged, refused,
    async more(times) {
      const goal = acknowledged.size + times;
      await vi.waitUntil(() => acknowledged.size >= goal || failure !== undefined, { timeout: patienceMs + 60_000, interval: 20 });
      if (failure !== undefined) throw failure;
    },
    async stop() {
      over = true;
      await running;
      if (failure !== undefined) throw failure;
    },
  };
}

interface Change {
  path: string;
  body: object;
  type: string;
  idOf(answer: unknown): string;
}

function site(name: string): Change {
  return { path: "/api/v1/sites", body: { name }, type: "inventory.site-created", idOf: (answer) => (answer as { id: string }).id };
}

const packages = [["openssl", "3.0.17-1~deb12u2"], ["bash", "5.2.15-2+b9"], ["zlib1g", "1:1.2.13.dfsg-1"], ["nginx", "1.22.1-9"]] as const;

function scan(name: string): Change {
  const components = packages.map(([of, version]) => ({ name: of, version, purl: `pkg:deb/debian/${of}@${encodeURIComponent(version)}?arch=amd64&distro=debian-12` }));
  return {
    path: "/api/v1/assets/scans", body: { name, source: "import", os: { id: "debian", versionId: "12" }, components: components.slice(0, 1 + (name.length % components.length)) },
    type: "inventory.asset-recorded", idOf: (answer) => (answer as { asset: { id: string } }).asset.id,
  };
}

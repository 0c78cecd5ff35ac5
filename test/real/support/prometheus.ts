import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { program } from "./peer.ts";
import { freePort, startServer, temporaryFolder, untilReady } from "./process.ts";

const exec = promisify(execFile);

/** One element of an instant vector. */
export interface Sample {
  metric: Readonly<Record<string, string>>;
  value: number;
}

export interface Target {
  scrapeUrl: string;
  health: "up" | "down" | "unknown";
  lastError: string;
}

export interface Prometheus {
  url: string;
  /** Instant query in PromQL. */
  query(expression: string): Promise<Sample[]>;
  targets(): Promise<Target[]>;
  /** Labels of the exemplars that were scraped lately with these series. */
  exemplars(expression: string): Promise<Readonly<Record<string, string>>[]>;
  log(): string;
  stop(): Promise<void>;
}

/** A real Prometheus with this configuration file (YAML), on a free port of loopback. Rejects what promtool refuses. */
export async function startPrometheus(config: string): Promise<Prometheus> {
  const folder = await temporaryFolder("prometheus");
  const file = join(folder.path, "prometheus.yml");
  const url = `http://127.0.0.1:${await freePort()}`;
  try {
    await writeFile(file, config);
    await exec(program("prometheus", "promtool"), ["check", "config", file], { timeout: 20_000 });
  } catch (error) {
    await folder.remove();
    throw error;
  }
  const server = startServer(program("prometheus"), [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder.path, "data")}`,
    `--web.listen-address=${url.slice("http://".length)}`,
    "--enable-feature=exemplar-storage",
  ]);
  const stop = async () => {
    await server.stop();
    await folder.remove();
  };
  try {
    await untilReady(server, "Prometheus", async () => (await get(`${url}/-/ready`)).ok);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    async query(expression) {
      const { result } = await api<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        `${url}/api/v1/query?${new URLSearchParams({ query: expression })}`,
      );
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    targets: async () => (await api<{ activeTargets: Target[] }>(`${url}/api/v1/targets`)).activeTargets,
    async exemplars(expression) {
      const now = Date.now() / 1000;
      const series = await api<{ exemplars: { labels: Record<string, string> }[] }[]>(`${url}/api/v1/query_exemplars?${new URLSearchParams({ query: expression, start: String(now - 600), end: String(now + 60) })}`);
      return series.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels));
    },
    log: server.log,
    stop,
  };
}

async function api<T>(url: string): Promise<T> {
  const answer = (await (await get(url)).json()) as { status: string; data: T; error?: string };
  if (answer.status !== "success") throw new Error(`Prometheus: ${answer.error ?? answer.status}`);
  return answer.data;
}

function get(url: string): Promise<Response> {
  return fetch(url, { signal: AbortSignal.timeout(5000) });
}

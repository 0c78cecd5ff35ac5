import { join } from "node:path";
import type { Db } from "../src/platform/database/database.ts";
import type { Query } from "../src/platform/database/sql.ts";
import { toTypeId } from "../src/platform/ids.ts";
import { assetById } from "../src/modules/inventory/index.ts";
import type { LoadPlan } from "./load.ts";
import { cpuMs, firstLine, load, median, startProgram, stopped } from "./process.ts";
import { poolSize, statement, type Stage } from "./stage.ts";
import type { BaselinePlan } from "./baseline.ts";

export interface Side {
  requestsPerSecond: number;
  p50: number;
  p95: number;
  /** Processor time of the server alone for one request, in microseconds. */
  cpuMicroseconds: number;
}

export interface Reads {
  assets: number;
  connections: number;
  rounds: number;
  platform: Side;
  baseline: Side;
  /** Requests a second of the platform as a share of the baseline's. */
  ratio: number;
}

const assets = 10_000;
const connections = 32;

/** GET /api/v1/assets/{id}, which no cache answers, through the whole pipeline against the same query behind Fastify, in turns. */
export async function measureReads(stage: Stage, options: { rounds: number; seconds: number }): Promise<Reads> {
  const ids = await seedAssets(stage);
  const plan: BaselinePlan = { connection: stage.superuser, pool: poolSize, orgId: stage.orgId, logFile: join(stage.folder, "baseline.log"), query: await queryOfAsset() };
  const server = startProgram("baseline.ts", plan, 0);
  const sides: { platform: Side[]; baseline: Side[] } = { platform: [], baseline: [] };
  try {
    const common = { method: "GET", connections, warmupSeconds: 1, seconds: options.seconds } as const;
    const address = await firstLine(server);
    const toBaseline: LoadPlan = { ...common, address, paths: ids.map((id) => `/assets/${id}`) };
    const toPlatform: LoadPlan = {
      ...common, address: stage.platform.address, token: stage.client.token as string, paths: ids.map((id) => `/api/v1/assets/${toTypeId("ast", id)}`),
    };
    for (let round = 0; round <= options.rounds; round++) {
      const [baseline, platform] = [await measured(toBaseline, server.pid as number), await measured(toPlatform, stage.platform.pid)];
      if (round === 0) continue; // both compile their code in the first
      sides.baseline.push(baseline);
      sides.platform.push(platform);
    }
  } finally {
    await stopped(server);
  }
  const [platform, baseline] = [middle(sides.platform), middle(sides.baseline)];
  return { assets, connections, rounds: options.rounds, platform, baseline, ratio: platform.requestsPerSecond / baseline.requestsPerSecond };
}

async function measured(plan: LoadPlan, pid: number): Promise<Side> {
  const before = cpuMs(pid);
  const { requestsPerSecond, p50, p95 } = await load(plan);
  // The warm-up counts for the processor as it does for the requests.
  const requests = requestsPerSecond * (plan.seconds + plan.warmupSeconds);
  return { requestsPerSecond, p50, p95, cpuMicroseconds: ((cpuMs(pid) - before) * 1000) / requests };
}

function middle(sides: readonly Side[]): Side {
  const of = (key: keyof Side): number => median(sides.map((side) => side[key]));
  return { requestsPerSecond: of("requestsPerSecond"), p50: of("p50"), p95: of("p95"), cpuMicroseconds: of("cpuMicroseconds") };
}

/** The statement that the operation runs, and the condition that row level security adds to it for the platform. */
async function queryOfAsset(): Promise<string> {
  let seen: Query | undefined;
  const recording = { maybe: async (query: Query) => void (seen = query) } as unknown as Db;
  await assetById(recording, "");
  if (seen === undefined) throw new Error("inventory.get-asset runs no single-row statement any more");
  return `${seen.text} and a.org_id = $2`;
}

/** Ids of assets of the caller's organization, with a site and two tags each. */
async function seedAssets({ superuser, orgId }: Stage): Promise<string[]> {
  const one = (text: string): Promise<unknown> => statement(superuser, text, [orgId]);
  await one("insert into inventory.sites (org_id, id, name, created_at) select $1, gen_random_uuid(), 'site-' || n, now() from generate_series(1, 10) n");
  await one(`insert into inventory.assets (org_id, id, name, kind, site_id, criticality, exposure, os_id, os_version, os_name, source, scanned_at, created_at, updated_at)
    select $1, gen_random_uuid(), 'host-' || n, 'host', s.id, 'high', 'internal', 'debian', '12', 'Debian GNU/Linux 12', 'ssh', now(), now(), now()
    from generate_series(1, ${assets}) n join inventory.sites s on s.org_id = $1 and s.name = 'site-' || (n % 10 + 1)`);
  await one("insert into inventory.asset_tags (org_id, asset_id, key, value) select org_id, id, k, 'x' from inventory.assets, (values ('env'), ('team')) t (k) where org_id = $1");
  await statement(superuser, "analyze");
  const { rows } = await statement(superuser, "select id from inventory.assets where org_id = $1 order by id limit 2000", [orgId]);
  return (rows as { id: string }[]).map((row) => row.id);
}

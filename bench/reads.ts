import { join } from "node:path";
import type { Db } from "../src/platform/database/database.ts";
import type { Query } from "../src/platform/database/sql.ts";
import { toTypeId } from "../src/platform/ids.ts";
import { imageById } from "../src/modules/images/index.ts";
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
  images: number;
  connections: number;
  rounds: number;
  platform: Side;
  baseline: Side;
  /** Requests a second of the platform as a share of the baseline's. */
  ratio: number;
}

const images = 10_000;
const families = 1_000;
const connections = 32;

/** GET /api/v1/images/{id} through the whole pipeline against the same query behind Fastify, in turns. */
export async function measureReads(stage: Stage, options: { rounds: number; seconds: number }): Promise<Reads> {
  const ids = await seedImages(stage);
  const plan: BaselinePlan = { connection: stage.superuser, pool: poolSize, orgId: stage.orgId, logFile: join(stage.folder, "baseline.log"), query: await queryOfImage() };
  const server = startProgram("baseline.ts", plan, 0);
  const sides: { platform: Side[]; baseline: Side[] } = { platform: [], baseline: [] };
  try {
    const common = { method: "GET", connections, warmupSeconds: 1, seconds: options.seconds } as const;
    const address = await firstLine(server);
    const toBaseline: LoadPlan = { ...common, address, paths: ids.map((id) => `/images/${id}`) };
    const toPlatform: LoadPlan = {
      ...common, address: stage.platform.address, token: stage.client.token as string, paths: ids.map((id) => `/api/v1/images/${toTypeId("img", id)}`),
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
  return { images, connections, rounds: options.rounds, platform, baseline, ratio: platform.requestsPerSecond / baseline.requestsPerSecond };
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
async function queryOfImage(): Promise<string> {
  let seen: Query | undefined;
  const recording = { maybe: async (query: Query) => void (seen = query) } as unknown as Db;
  await imageById(recording, "");
  if (seen === undefined) throw new Error("images.get runs no single-row statement any more");
  return `${seen.text} and i.org_id = $2`;
}

/** Ids of images of the caller's organization, with two tags each. */
async function seedImages({ superuser, orgId }: Stage): Promise<string[]> {
  const one = (text: string): Promise<unknown> => statement(superuser, text, [orgId]);
  await one(`insert into images.golden_image_families (org_id, id, name, description, created_at)
    select $1, gen_random_uuid(), 'family-' || n, '', now() from generate_series(1, ${families}) n`);
  await one("insert into software.component_sets (org_id, id, digest, size, packages, created_at, touched_at) values ($1, gen_random_uuid(), '\\x00', 0, '{}', now(), now())");
  await one(`insert into images.golden_images (org_id, id, family_id, version, source, os_id, os_version, component_set_id, created_at)
    select f.org_id, gen_random_uuid(), f.id, 'v' || n, 'sbom', 'debian', '12', s.id, now()
    from images.golden_image_families f join software.component_sets s on s.org_id = f.org_id, generate_series(1, ${images / families}) n where f.org_id = $1`);
  await one("insert into images.image_tags (org_id, image_id, key, value) select org_id, id, k, 'x' from images.golden_images, (values ('env'), ('team')) t (k) where org_id = $1");
  await statement(superuser, "analyze");
  const { rows } = await statement(superuser, "select id from images.golden_images where org_id = $1 order by id limit 2000", [orgId]);
  return (rows as { id: string }[]).map((row) => row.id);
}

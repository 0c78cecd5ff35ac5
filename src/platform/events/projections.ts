import { DatabaseUnavailable, DeclaredError } from "../errors.ts";
import type { Line } from "./line.ts";
import { backoffMs, createBell, type Bell, type Timer } from "./timer.ts";
import { advance, buildBeside, BuildMoved, removeBuild, settledBuilds, type BuildPorts } from "./build-projection.ts";
import type { Projection } from "./projection.ts";
import { noteProblem, type Build } from "./projection-store.ts";

export interface ProjectionOptions extends BuildPorts {
  projections: readonly Projection[];
  line: Line;
  timer: Timer;
  /** 0 to 1, for jitter. */
  random(): number;
  /** After a page that failed: doubled each time, up to a minute. */
  baseMs?: number;
}

export interface Projections {
  /** Finishes the page in hand. */
  stop(): Promise<void>;
}

const standbyMs = 1_000;
const pollMs = 1_000;
/** After a short page: many commits one after the other make few pages. */
const gatherMs = 20;
/** One that moved so far has more to catch up with. */
const farPositions = 200;
const mostWaitMs = 60_000;

/**
 * Keeps projections up to date, one writer each among all servers. Beside the active build it makes the one that was
 * asked for, or that newer code needs, and takes away what is read no more. A page that fails is tried again and never
 * skipped, because what follows from a log without it would be wrong.
 */
export function startProjections(options: ProjectionOptions): Projections {
  const { projections, line, timer, log, random, clock, database, baseMs = 500 } = options;
  const stopping = new AbortController();

  async function run(projection: Projection): Promise<void> {
    const bell = createBell(timer);
    const deaf = line.on("events_sealed", () => bell.ring());
    while (!stopping.signal.aborted) {
      const hold = await line.tryLock(`events.projection ${projection.id}`);
      if (hold !== undefined) {
        await lead(projection, bell, AbortSignal.any([stopping.signal, hold.lost]));
        await hold.release();
      }
      await timer.sleep(standbyMs, stopping.signal);
    }
    deaf();
  }

  async function lead(projection: Projection, bell: Bell, end: AbortSignal): Promise<void> {
    /** By build and state: how often it failed, and until when it is left alone. */
    const failing = new Map<string, { times: number; until: number }>();

    /** False where nothing moved. What fails holds up no other build. */
    async function tried(build: Build, work: () => Promise<boolean>): Promise<boolean> {
      const key = `${build.build} ${build.state}`;
      const failed = failing.get(key);
      if (end.aborted || failed !== undefined && clock.now() < failed.until) return false;
      try {
        const moved = await work();
        failing.delete(key);
        return moved;
      } catch (error) {
        if (error instanceof BuildMoved) return true;
        const times = (failed?.times ?? 0) + 1;
        failing.set(key, { times, until: clock.now() + backoffMs(times, baseMs, mostWaitMs, random) });
        const where = { err: error, projection: projection.id, build: build.build, position: build.position };
        if (error instanceof DeclaredError && error.type === DatabaseUnavailable) {
          log.warn(where, "a projection could not go on; it is tried again");
          return false;
        }
        log.error(where, "a page of a projection failed; it is tried again");
        await database.system((db) => noteProblem(db, build, (error as Error).message.slice(0, 1_000))).catch(() => undefined);
        return false;
      }
    }

    /** How long it may rest. */
    async function turn(): Promise<number> {
      const builds = await settledBuilds(options, projection);
      let active = builds.find(({ state }) => state === "active");
      if (active === undefined) return 0;
      let moved = false;
      let far = 0;
      if (active.version === projection.version) {
        const before: Build = active;
        moved = await tried(before, async () => (active = await advance(options, projection, before)) !== before);
        far = active.position - before.position;
      }
      const building = builds.find(({ state, version }) => state === "building" && version === projection.version);
      if (building !== undefined) {
        const beside: Build = active;
        moved = (await tried(building, () => buildBeside(options, projection, beside, building))) || moved;
      }
      for (const build of builds.filter(({ state }) => state === "removing")) {
        moved = (await tried(build, () => removeBuild(options, projection, build))) || moved;
      }
      if (!moved) return pollMs;
      return builds.length > 1 || far >= farPositions ? 0 : gatherMs;
    }

    while (!end.aborted) {
      const restMs = await turn().catch((error: unknown) => {
        if (!end.aborted) log.warn({ err: error, projection: projection.id }, "a projection could not go on; it is tried again");
        return pollMs;
      });
      if (restMs === gatherMs) await timer.sleep(restMs, end);
      else if (restMs > 0) await bell.wait(restMs, end);
    }
  }

  const running = projections.map(run);
  return {
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

import type { Logger } from "pino";

/** What the engine uses of Temporal's SDK. */
export interface TemporalPackages {
  activity: typeof import("@temporalio/activity");
  client: typeof import("@temporalio/client");
  worker: typeof import("@temporalio/worker");
}

/** Release of the SDK that this is made for; a test holds it to package.json. */
export const sdkVersion = "1.24.0";

/** Errors: says what to install, where the packages are not there. */
export async function loadTemporal(): Promise<TemporalPackages> {
  try {
    const [activity, client, worker] = await Promise.all([import("@temporalio/activity"), import("@temporalio/client"), import("@temporalio/worker")]);
    return { activity, client, worker };
  } catch (error) {
    const needed = ["activity", "client", "worker"].map((name) => `@temporalio/${name}@${sdkVersion}`).join(" ");
    throw new Error(
      `Workflows on Temporal need packages that are not a part of this program, and they could not be loaded: ${(error as Error).message.split("\n", 1)[0]}. Install them in its folder (npm install ${needed}), build the image with --build-arg WORKFLOWS=temporal, or leave WORKFLOWS_URL at dbos.`,
      { cause: error },
    );
  }
}

let prepared = false;

/**
 * Has the SDK, whose native part is one to a process, log through ours. It remembers that over the engines to come, and
 * leaves the signals of this process to us.
 */
export function prepareRuntime({ Runtime, DefaultLogger }: TemporalPackages["worker"], log: Logger): void {
  if (prepared) return;
  prepared = true;
  const logger = new DefaultLogger("WARN", ({ level, message, meta }) => {
    const { error, workflowId, activityType } = meta ?? {};
    // No more of it: tasks are in there as well, with what people wrote.
    log[level === "ERROR" ? "error" : "warn"]({ workflowId, activityType, ...(error instanceof Error ? { err: error } : {}) }, `workflow engine: ${message}`);
  });
  Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { logging: { filter: { core: "WARN", other: "ERROR" }, forward: {} } } });
}

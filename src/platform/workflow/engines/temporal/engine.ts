import { systemTimer } from "../../../events/timer.ts";
import type { EnginePorts, Over, WorkflowEngine } from "../../engine.ts";
import type { StepCall, StepOutcome } from "../../execution.ts";
import { createFence } from "../../fence.ts";
import { temporalAddress } from "./address.ts";
import { connectTemporal, said, type TemporalTls } from "./connect.ts";
import { beatMs, messageSignal, silentMs, usualTaskQueue, workflowType } from "./names.ts";
import { describeOver } from "./over.ts";
import { loadTemporal, prepareRuntime } from "./packages.ts";

export interface TemporalOptions extends EnginePorts {
  /** `temporal://host:port/namespace`, or `temporals://`. */
  url: string;
  /** Where it is reached over TLS with these. */
  tls?: TemporalTls;
  /** What `bundleForTemporal` made, or the path of a file that holds it. */
  bundle: { code: string } | { path: string };
  taskQueue?: string;
}

const callMs = 10_000;
const healthMs = 2_000;
/** How long a task waits for the server that knows its run before any other one takes it. */
const stickyMs = 5_000;
/** Runs that are kept ready in memory; the others are read from their history when something happens. */
const mostInMemory = 500;
/** How long a step that does not listen is waited for when this server stops; then another one does it again. */
const stopMs = 10_000;
const askedAtOnce = 10;

/**
 * Workflows on a Temporal server (https://docs.temporal.io), with a worker in this process. The SDK is not a part of the
 * program: its packages have to be installed beside it. Errors: InvalidInput where the address is none; packages that
 * are missing; a server or a namespace that does not answer.
 */
export async function createTemporalEngine(options: TemporalOptions): Promise<WorkflowEngine> {
  const { executor, runStep, log, bundle, taskQueue = usualTaskQueue } = options;
  const { address, namespace, encrypted } = temporalAddress(options.url);
  const packages = await loadTemporal();
  const { activity: { ApplicationFailure, Context }, client: { Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, isGrpcServiceError } } = packages;
  prepareRuntime(packages.worker, log);
  const connection = await connectTemporal(packages, address, options.tls ?? encrypted);
  const closed = new AbortController();
  /** Temporal gives to others what a silent server did; one that cannot reach it ends that before. */
  const fence = createFence(systemTimer, silentMs / 1_000);

  async function step(call: StepCall): Promise<StepOutcome> {
    const context = Context.current();
    const beats = setInterval(() => context.heartbeat(), beatMs);
    try {
      return await runStep(call, AbortSignal.any([context.cancellationSignal, fence.signal()]));
    } catch (error) {
      // This server stops or is cut off, or Temporal has given the step to another one.
      throw ApplicationFailure.create({ message: (error as Error).message, type: "given-back", category: "BENIGN" });
    } finally {
      clearInterval(beats);
    }
  }

  const worker = await packages.worker.Worker.create({
    connection, namespace, taskQueue, identity: executor,
    workflowBundle: "code" in bundle ? bundle : { codePath: bundle.path },
    activities: { default: step },
    maxHeartbeatThrottleInterval: beatMs, stickyQueueScheduleToStartTimeout: stickyMs, maxCachedWorkflows: mostInMemory,
    shutdownGraceTime: 0, shutdownForceTime: stopMs,
  }).catch(async (error: unknown) => {
    fence.rest();
    await connection.close();
    throw new Error(`Temporal at ${address} runs no workflows for this server: ${said(error)}`, { cause: error });
  });
  const client = new Client({ connection, namespace });
  const answers = async (ms: number): Promise<true> => {
    await limited(ms, () => client.workflowService.describeNamespace({ namespace }));
    return true;
  };
  const beating = (async () => {
    while (!closed.signal.aborted) {
      await fence.beat(() => answers(callMs)).catch(() => undefined);
      await systemTimer.sleep(beatMs, closed.signal);
    }
  })();

  const gone = Promise.withResolvers<string>();
  const running = worker.run().catch((error: unknown) => {
    log[closed.signal.aborted ? "warn" : "error"]({ err: error }, "the worker that runs workflows has ended");
    if (!closed.signal.aborted) gone.resolve(`Temporal at ${address} runs no workflows for this server any more: ${said(error)}`);
  });

  function limited<T>(ms: number, work: () => Promise<T>): Promise<T> {
    return connection.withAbortSignal(AbortSignal.timeout(ms), work);
  }

  return {
    name: "temporal",
    async start(run) {
      try {
        await limited(callMs, () => client.workflow.start(workflowType, {
          workflowId: run.key, taskQueue, args: [run], staticSummary: run.workflow, workflowIdReusePolicy: "REJECT_DUPLICATE",
        }));
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },
    async deliver(key, message) {
      try {
        await limited(callMs, () => client.workflow.getHandle(key).signal(messageSignal, message));
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
    // Temporal gives to others what a silent worker had, by its own timers.
    takeOver: async () => 0,
    async forget(keys) {
      for (const key of keys) {
        try {
          await limited(callMs, () => client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId: key } }));
        } catch (error) {
          if (!isGrpcServiceError(error) || error.code !== notFound) throw error;
        }
      }
    },
    async over(keys) {
      const found = new Map<string, Over>();
      for (let first = 0; first < keys.length; first += askedAtOnce) {
        const some = keys.slice(first, first + askedAtOnce);
        const answers = await Promise.all(some.map((key) => limited(callMs, () => describeOver(packages, client, key))));
        for (const [i, key] of some.entries()) if (answers[i] !== undefined) found.set(key, answers[i]);
      }
      return found;
    },
    ended: gone.promise,
    async health() {
      try {
        await answers(healthMs);
        return `ok: Temporal at ${address}, namespace ${namespace}`;
      } catch (error) {
        return `Temporal at ${address} does not answer: ${said(error)}`;
      }
    },
    async close() {
      closed.abort();
      fence.rest();
      await beating;
      if (worker.getState() === "RUNNING") worker.shutdown();
      await running;
      await connection.close();
    },
  };
}

/** gRPC's status code. */
const notFound = 5;

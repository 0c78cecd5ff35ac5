import { callOperation } from "../client.ts";
import type { Connection } from "../connection.ts";
import { CliError, printable } from "../errors.ts";
import { exit } from "../exit-codes.ts";
import { followStream } from "../follow-stream.ts";
import { say, write, type CliIo } from "../io.ts";
import type { CliContext } from "../local-command.ts";
import { createProgressLine, type ProgressLine } from "../progress.ts";
import { createTimeline, type WatchedRun } from "./workflow-timeline.ts";

/** Steps and progress are no events, so they are asked for; at most a twentieth of the time goes into that. */
const leastMs = 1_000;
const mostMs = 15_000;

/** Follows a run until it ends: 0 where it succeeded, 1 where it failed or was cancelled. */
export async function watchWorkflow(context: CliContext, options: Record<string, unknown>, [id = ""]: readonly string[]): Promise<number> {
  const { io } = context;
  const lines = options["output"] === "jsonl";
  const connection = await context.connected();
  const get = context.operation("workflows.get");
  const timeline = createTimeline();
  const progress = createProgressLine(io);
  const over = new AbortController();
  const nudges = listen(context, connection, id, over.signal);
  let away = false;
  try {
    for (;;) {
      const began = io.now();
      const run = await callOperation(io, connection, get, { input: { id } }).catch((error: unknown) => passing(error, timeline.begun())) as WatchedRun | CliError;
      if (run instanceof CliError) {
        if (!away) await between(progress, () => say(io, `${run.message} Asking again.`));
        away = true;
      } else {
        away = false;
        const news = timeline.news(run, io.now());
        await between(news.length === 0 ? undefined : progress, async () => {
          for (const one of news) await write(io, `${lines ? JSON.stringify(one.item) : printable(one.text)}\n`);
        });
        if (run.endedAt !== null) return run.state === "succeeded" ? exit.done : exit.refused;
        progress.show(timeline.progress(run, io.now()));
      }
      await nudges.next(Math.min(mostMs, Math.max(leastMs, 20 * (io.now() - began))));
    }
  } finally {
    over.abort();
    progress.end();
  }
}

/** A server that is started anew is worth waiting for, once the run is known. */
function passing(error: unknown, begun: boolean): CliError {
  if (begun && error instanceof CliError && (error.problem === undefined || error.problem.status === 429 || error.problem.status >= 500)) return error;
  throw error;
}

async function between(progress: ProgressLine | undefined, work: () => unknown): Promise<void> {
  progress?.end();
  await work();
}

/** Wakes at an event of the run, so that its end is seen at once, or after the time. */
function listen({ io, operation }: CliContext, connection: Connection, id: string, signal: AbortSignal): { next(ms: number): Promise<void> } {
  const watch = operation("events.watch");
  let wake: (() => void) | undefined;
  let missed = false;
  async function follow(): Promise<void> {
    const events = followStream(io, connection, watch, { type: ["workflows.*"], subject: [id] }, { signal });
    for await (const _event of events) {
      missed = true;
      wake?.();
    }
  }
  // Without the stream it is asked by time alone.
  follow().catch(() => undefined);
  return {
    async next(ms) {
      if (!missed) await Promise.race([sleep(io, ms), new Promise<void>((resolve) => (wake = resolve))]);
      missed = false;
      wake = undefined;
    },
  };
}

function sleep(io: CliIo, ms: number): Promise<void> {
  return io.sleep(ms);
}

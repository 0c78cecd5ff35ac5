import type { Progress } from "../../../platform/operation/operation.ts";

/** What `workflows.get` answers, as far as it is shown. */
export interface WatchedRun {
  id: string;
  workflow: string;
  state: string;
  progress: Progress | null;
  output?: unknown;
  failure: { code: string; message: string } | null;
  createdAt: string;
  endedAt: string | null;
  cancelling: boolean;
  steps: readonly { call: number; step: string; state: string; attempt: number; failure: { code: string; message: string } | null; startedAt: string; ms: number }[];
}

export interface Timeline {
  /** What is new since the last time: a line for people, and for programs what it says. */
  news(run: WatchedRun, now: number): { text: string; item: unknown }[];
  /** What goes on now. */
  progress(run: WatchedRun, now: number): Progress;
  begun(): boolean;
}

export function createTimeline(): Timeline {
  const seen = new Set<string>();
  let last: string | undefined;
  let width = 0;

  return {
    news(run, now) {
      const { id, workflow, createdAt, endedAt, failure } = run;
      const news: { text: string; item: unknown }[] = [];
      const state = stateOf(run);
      const ended = endedAt !== null;
      function tellState(text: string): void {
        news.push({ text, item: { id, workflow, state: run.state, ...(run.cancelling && { cancelling: true }), ...(ended && { endedAt, failure, output: run.output ?? null }) } });
      }
      if (last === undefined) tellState(`${id}  ${workflow}  ${ended ? "ended" : state}`);
      else if (last !== state && !ended) tellState(`${clock(new Date(now).toISOString())}  ${state}`);
      last = state;
      width = Math.max(width, ...run.steps.map(({ step }) => step.length));
      for (const step of run.steps) {
        const key = `${step.call} ${step.step} ${step.attempt} ${step.startedAt}`;
        if (seen.has(key)) continue;
        seen.add(key);
        const why = step.failure === null ? "" : `  ${step.failure.code}: ${step.failure.message}`;
        const attempt = step.attempt > 1 || step.state === "retried" ? `  attempt ${step.attempt}` : "";
        news.push({
          text: `${clock(step.startedAt)}  ${step.step.padEnd(width)}  ${step.state.padEnd(7)}  ${duration(step.ms).padStart(8)}${attempt}${why}`,
          item: { step: step.step, call: step.call, state: step.state, attempt: step.attempt, startedAt: step.startedAt, ms: step.ms, ...(step.failure !== null && { failure: step.failure }) },
        });
      }
      if (ended) tellState(`${clock(endedAt)}  ${run.state} after ${duration(Date.parse(endedAt) - Date.parse(createdAt))}${failure === null ? "" : `  ${failure.code}: ${failure.message}`}${numbersOf(run.output)}`);
      return news;
    },
    progress(run, now) {
      const since = duration(Math.max(0, now - Date.parse(run.createdAt)));
      if (run.progress === null) return { step: `${stateOf(run)}, ${since}` };
      return { ...run.progress, step: `${stateOf(run)}, ${since}: ${run.progress.step}` };
    },
    begun: () => last !== undefined,
  };
}

/** What came of it in short, such as hosts that failed: a run that succeeded may still say so. */
function numbersOf(output: unknown): string {
  if (typeof output !== "object" || output === null) return "";
  const numbers = Object.entries(output).filter(([, value]) => typeof value === "number");
  return numbers.length === 0 ? "" : `: ${numbers.map(([name, value]) => `${name} ${String(value)}`).join(", ")}`;
}

function stateOf({ state, cancelling }: WatchedRun): string {
  return cancelling ? "cancelled, undoing what it did" : state;
}

/** UTC, as all times of the platform. */
function clock(time: string): string {
  return time.slice(11, 19);
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** One call of an operation as a trace: a span of the operation's name, and below it one for each step. */
export interface Trace {
  /** Does the step, in a span of that name where the call is traced. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  set(attributes: Readonly<Record<string, string | number | boolean>>): void;
  end(outcome: { status: number; code?: string }): void;
  /** Hexadecimal; absent where the call is not traced. */
  ids?: { traceId: string; spanId: string };
}

export interface Traces {
  /** `traceparent` (W3C Trace Context) is the caller's, whose trace is then continued. */
  begin(name: string, traceparent?: string): Trace;
  /** `ok`, or what became of the traces that were sent last. */
  health(): string;
  stop(): Promise<void>;
}

/** What an untraced call costs: one function call a step. */
export const untraced: Trace = { step: (_name, work) => work(), set: () => undefined, end: () => undefined };

export const noTraces: Traces = { begin: () => untraced, health: () => "ok", stop: async () => undefined };

import { BrokenCircuitError, circuitBreaker, ConsecutiveBreaker, handleWhen } from "cockatiel";
import { awsFailure } from "./failure.ts";
import type { EngineTls } from "../tls/index.ts";

export interface AwsCallsOptions {
  /** Of one call, all attempts and waits included. */
  timeoutMs: number;
  /** Failures in a row that open the circuit. Default 5. */
  failures?: number;
  /** How long it stays open before one call may try. Default 15 s. */
  openMs?: number;
}

/** Thrown instead of the SDK's error while the circuit is open; `cause` is what opened it. */
export class LeftAlone extends Error {
  constructor(cause: unknown) {
    super("left alone after failures in a row", { cause });
    this.name = "LeftAlone";
  }
}

/** Runs a call under one time limit and one circuit. Errors: the SDK's, and LeftAlone. */
export type AwsCalls = <T>(call: (signal: AbortSignal) => Promise<T>, timeoutMs?: number) => Promise<T>;

export function createAwsCalls({ timeoutMs, failures = 5, openMs = 15_000 }: AwsCallsOptions): AwsCalls {
  let last: unknown;
  const circuit = circuitBreaker(handleWhen((error) => awsFailure(error).kind === "unavailable"), { halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(failures) });
  return async (call, limit = timeoutMs) => {
    try {
      return await circuit.execute(() => call(AbortSignal.timeout(limit)));
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw new LeftAlone(last);
      last = error;
      throw error;
    }
  };
}

/** What every client of the SDK is given: bounded attempts, time limits that throw, and no word to the console. `tls` is for servers of a private network. */
export function awsClientOptions(tls?: EngineTls) {
  return {
    maxAttempts: 3,
    retryMode: "standard",
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, socketTimeout: 10_000, throwOnRequestTimeout: true, ...(tls === undefined ? {} : { httpsAgent: { ...tls } }) },
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  } as const;
}

import { BrokenCircuitError, circuitBreaker, ConsecutiveBreaker, handleWhen, type CircuitBreakerPolicy } from "cockatiel";
import { DeclaredError } from "../errors.ts";
import { CircuitOpen, TimedOut, Unreachable } from "./errors.ts";

export interface BreakerOptions {
  /** Failures in a row that open a host's circuit. Default 5. */
  failures?: number;
  /** How long it stays open before one request may try. Default 30 s. */
  openMs?: number;
}

const maxHosts = 1000;

export function isUnavailable(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

/** Runs `work` in the circuit of that key: it fails at once with CircuitOpen while the host is left alone. */
export type Breakers = <T extends { status: number }>(key: string, host: string, work: () => Promise<T>) => Promise<T>;

export function createBreakers({ failures = 5, openMs = 30_000 }: BreakerOptions): Breakers {
  const circuits = new Map<string, CircuitBreakerPolicy>();
  const counted = handleWhen((error) => error instanceof DeclaredError && (error.type === Unreachable || error.type === TimedOut)).orWhenResult((result) =>
    isUnavailable((result as { status: number }).status),
  );

  function circuitOf(key: string): CircuitBreakerPolicy {
    const circuit = circuits.get(key) ?? circuitBreaker(counted, { halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(failures) });
    circuits.delete(key);
    circuits.set(key, circuit); // the map keeps the order of use
    const [oldest] = circuits.keys();
    if (circuits.size > maxHosts && oldest !== undefined) circuits.delete(oldest);
    return circuit;
  }

  return async (key, host, work) => {
    const circuit = circuitOf(key);
    try {
      return await circuit.execute(work);
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      const last = circuit.lastFailure;
      const why = last === undefined ? "" : "error" in last ? ` Last failure: ${(last.error as Error).message}` : ` Last answer: ${(last.value as { status: number }).status}.`;
      throw new DeclaredError(CircuitOpen, `${host} failed ${failures} times in a row and is left alone for ${Math.ceil(openMs / 1000)} s. Try again later.${why}`, { host });
    }
  };
}

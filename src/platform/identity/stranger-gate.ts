import type { Clock } from "../clock.ts";
import { fail, TooManyRequests } from "../errors.ts";
import { createLru } from "./lru.ts";
import { networkOf } from "./sign-in-limits.ts";

export interface StrangerGate {
  /**
   * Before anything is looked up for a request; throws `TooManyRequests` where too many credentials from its network were
   * wrong. The answer is called once it is known whether this one was.
   */
  enter(address: string): (wrong: boolean) => void;
}

interface Network {
  /** Wrong credentials that are still allowed. */
  left: number;
  at: number;
  /** Requests that entered and are not known yet. */
  inside: number;
}

/**
 * Counts wrong credentials by network, in this process and before any other work. Who sends right ones is never held up,
 * however many they are, unless others behind the same address send wrong ones all the time.
 */
export function createStrangerGate(clock: Clock, { burst = 200, perSecond = 20, networks = 20_000 } = {}): StrangerGate {
  const known = createLru<Network>(networks);

  function networkAt(address: string): Network {
    const name = networkOf(address);
    const now = clock.now();
    const found = known.get(name, now);
    const network = found ?? { left: burst, at: now, inside: 0 };
    network.left = Math.min(burst, network.left + (Math.max(0, now - network.at) / 1000) * perSecond);
    network.at = now;
    if (found === undefined) known.set(name, network, Infinity);
    return network;
  }

  return {
    enter(address) {
      const network = networkAt(address);
      // As long as nothing was wrong lately, any number may be inside; afterwards no more than may still be wrong.
      if (network.left < burst && network.inside >= network.left) {
        const retryAfterSeconds = Math.max(1, Math.ceil((1 - network.left) / perSecond));
        fail(TooManyRequests, `Too many wrong credentials came from your address; wait ${retryAfterSeconds} s.`, { retryAfterSeconds });
      }
      network.inside += 1;
      return (wrong) => {
        network.inside -= 1;
        if (wrong) network.left -= 1;
      };
    },
  };
}

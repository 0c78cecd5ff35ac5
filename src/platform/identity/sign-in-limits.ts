import { createHash } from "node:crypto";
import ipaddr from "ipaddr.js";
import type { Clock } from "../clock.ts";
import { createSlidingWindow } from "./sliding-window.ts";

export interface SignInLimits {
  /**
   * Counts an attempt before any work is done for it; throws `TooManyRequests`. Call the answer when the password was
   * right: only failures stay counted.
   */
  attempt(account: string, address: string): () => void;
}

/**
 * Counts by address, and by account from that address. An account alone is never locked: whoever knows a name could
 * otherwise lock its owner out from anywhere. Right passwords have a limit, too, far above what a person needs: each
 * costs the server a hash, and one member could otherwise keep all others waiting.
 */
export function createSignInLimits(clock: Clock, options: { mostOfPair?: number; mostOfAddress?: number; mostInAll?: number; windowMs?: number } = {}): SignInLimits {
  const { mostOfPair = 10, mostOfAddress = 100, mostInAll = 200, windowMs = 15 * 60_000 } = options;
  const inAll = createSlidingWindow({ most: mostInAll, windowMs, clock });
  const pairs = createSlidingWindow({ most: mostOfPair, windowMs, clock });
  const addresses = createSlidingWindow({ most: mostOfAddress, windowMs, clock });
  return {
    attempt(account, address) {
      const network = networkOf(address);
      const takeBack = addresses.take(network);
      const pair = `${network} ${createHash("sha256").update(account.toLowerCase()).digest("base64url")}`;
      let ofPair: (() => void) | undefined;
      try {
        ofPair = pairs.take(pair);
        inAll.take(pair);
      } catch (error) {
        ofPair?.();
        takeBack(); // a refused attempt cost nothing, and must not keep others of the same address out
        throw error;
      }
      return () => {
        takeBack();
        pairs.forget(pair);
      };
    },
  };
}

/** An IPv6 caller has a whole /64 to choose addresses from, so that it counts as one. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === "ipv4") return parsed.toString();
  return `${(parsed as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16)).join(":")}::/64`;
}

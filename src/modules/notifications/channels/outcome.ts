/** What became of one attempt. */
export interface Outcome {
  /** `later`: nothing was sent, so it counts as no attempt. */
  outcome: "delivered" | "again" | "failed" | "later";
  status: number | null;
  reason: string | null;
  answer: string | null;
  /** The other side does not work, so that others need not be tried now. */
  unwell: boolean;
  /** It asked for a pause of so many seconds. */
  pauseSeconds?: number;
  /** It says that its address is gone for good. */
  gone?: boolean;
}

export function outcome(what: Outcome["outcome"], more: Partial<Omit<Outcome, "outcome">> = {}): Outcome {
  return { outcome: what, status: null, reason: null, answer: null, unwell: false, ...more };
}

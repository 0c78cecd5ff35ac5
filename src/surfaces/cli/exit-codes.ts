import type { Problem } from "../../platform/errors.ts";

/** Exit codes of every command; `scan` keeps the first three exactly. */
export const exit = { done: 0, refused: 1, failed: 2, interrupted: 130, closed: 141 } as const;

export const exitCodesHelp = `Exit codes of qinfra

  0    Done. For scan: no finding at or over --fail-on; without --fail-on, whatever was found.
  1    Understood and refused: it does not exist, is not allowed, or conflicts with what is there.
       For scan: findings at or over --fail-on, and nothing else. For audit verify: the log is not whole.
  2    Could not be done: wrong usage or input, not signed in, no answer, too many requests, a fault of
       the server, or work whose outcome is not known yet. For scan also: the server refused, no package
       could be matched, parts could not be matched under --strict. 2 wins over 1.
  130  Interrupted by Ctrl-C.
  141  The reader of standard output went away.

With --batch the highest code of all lines counts.`;

/** 401 and 400 are the caller's to mend, 429 and 5xx may go better later; the other refusals are an answer. */
export function exitCodeOf(problem: Pick<Problem, "status">): 1 | 2 {
  const { status } = problem;
  const answer = status >= 400 && status < 500 && ![400, 401, 408, 413, 415, 429, 499].includes(status);
  return answer ? exit.refused : exit.failed;
}

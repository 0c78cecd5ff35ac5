import type { Progress } from "../../platform/operation/operation.ts";

export interface ProgressParams {
  progressToken: string | number;
  progress: number;
  total?: number;
  message: string;
}

/**
 * Turns the reports of one call into MCP progress, whose number must grow with each notification, also where an
 * operation starts counting anew in its next step or does not count at all.
 */
export function progressOf(progressToken: string | number): (report: Progress) => ProgressParams {
  let last = -1;
  return ({ step, done, total }) => {
    const counted = done !== undefined && done > last;
    last = counted ? done : last + 1;
    const message = done === undefined ? step : `${step}: ${done}${total === undefined ? "" : ` of ${total}`}`;
    return { progressToken, progress: last, message, ...(counted && total !== undefined && { total }) };
  };
}

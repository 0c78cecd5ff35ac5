import { timestamp } from "../clock.ts";
import type { Db } from "../database/database.ts";
import type { ApprovalPorts } from "./ask.ts";
import { ended } from "./events.ts";
import { toTypeId } from "../ids.ts";
import { markEnded, type ApprovalRow } from "./store.ts";

/** Writes down how a request ended without running. */
export async function end(db: Db, { clock, events }: Pick<ApprovalPorts, "clock" | "events">, row: ApprovalRow, state: "rejected" | "withdrawn" | "expired" | "outdated" | "failed", failure?: { code: string; message: string }): Promise<void> {
  await markEnded(db, row, { state, at: timestamp(clock), ...(failure === undefined ? {} : { failure }) });
  await events.append({ type: ended, subject: toTypeId("apr", row.id), data: { operation: row.operation, state, ...(failure === undefined ? {} : { code: failure.code }) } });
}
